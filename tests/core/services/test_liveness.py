"""The liveness gate, at enrolment and identification."""

import pytest

from facecv.adapters.galleries.memory import MemoryGallery
from facecv.core.errors import ConfigurationError, LivenessError
from facecv.core.face import Face
from facecv.core.image import Image
from facecv.core.liveness import LivenessGate
from facecv.core.services.analyse import Analyser, Want
from facecv.core.services.attributes import AttributeModels
from facecv.core.services.enrol import Enroller, EnrolOptions
from facecv.core.services.liveness import passing, wanted
from facecv.core.services.slot import Slot, at_hand
from tests.core.services.world import WorldLiveness, analyser, picture

LIVE = picture((100, 100, 112, 40))
SPOOF = picture((100, 100, 112, 240))
DARK = picture((100, 100, 112, 120))


@pytest.fixture
def looking() -> Analyser:
    """Return an analyser that can tell who is alive."""
    made = analyser()
    made.attribute_models = AttributeModels([Slot(lambda: at_hand(WorldLiveness()))])
    return made


@pytest.fixture
def enroller(looking: Analyser) -> Enroller:
    return Enroller(looking, MemoryGallery())


def options(gate: LivenessGate, *, skip_bad: bool = False) -> EnrolOptions:
    return EnrolOptions(gate="off", liveness=gate, skip_bad=skip_bad)


class TestEnrolment:
    def test_enforce_refuses_spoofs_and_leaves_nothing_behind(self, enroller: Enroller) -> None:
        with pytest.raises(LivenessError, match=r"photo 2: .*: spoof"):
            enroller.enrol("staff", "Ada", [LIVE, SPOOF], options("enforce"))
        assert enroller.gallery.collections() == []

    def test_enforce_says_why_a_face_cannot_be_judged(self, enroller: Enroller) -> None:
        with pytest.raises(LivenessError, match="rejected, too dark") as caught:
            enroller.enrol("staff", "Ada", [DARK], options("enforce"))
        assert caught.value.details == {"liveness": "rejected", "reason": "too dark"}

    def test_enforce_lets_living_faces_pass(self, enroller: Enroller) -> None:
        done = enroller.enrol("staff", "Ada", [LIVE, SPOOF], options("enforce", skip_bad=True))
        good, bad = done.photos
        assert (good.status, bad.status) == ("enrolled", "failed")
        assert good.liveness
        assert good.liveness.value == "live"
        assert isinstance(bad.error, LivenessError)

    def test_observe_enrols_and_tells(self, enroller: Enroller) -> None:
        done = enroller.enrol("staff", "Ada", [LIVE, SPOOF], options("observe"))
        assert [photo.status for photo in done.photos] == ["enrolled", "enrolled"]
        assert [photo.liveness and photo.liveness.value for photo in done.photos] == [
            "live",
            "spoof",
        ]

    def test_off_asks_nobody(self, enroller: Enroller) -> None:
        done = enroller.enrol("staff", "Ada", [SPOOF], options("off"))
        assert done.photos[0].liveness is None

    def test_a_gate_without_a_model_is_an_error_before_any_photo_is_read(self) -> None:
        enroller = Enroller(analyser(), MemoryGallery())
        for gate in ("observe", "enforce"):
            with pytest.raises(ConfigurationError, match=f"set to '{gate}'"):
                enroller.enrol("staff", "Ada", ["absent.jpg"], options(gate))


class TestIdentification:
    def faces(self, looking: Analyser, *pixels: object, gate: LivenessGate) -> list[Face]:
        """Return the faces of pictures, looked at as the gate wants."""
        want = wanted(Want(quality=False, embedding=False), gate, looking)
        images = [Image(each) for each in pixels]  # type: ignore[arg-type]
        return [face for faces in looking.analyse(images, want) for face in faces]

    def test_enforce_leaves_out_faces_that_do_not_pass(self, looking: Analyser) -> None:
        faces = self.faces(looking, SPOOF, LIVE, DARK, gate="enforce")
        assert passing(faces, "enforce", "a.jpg") == [faces[1]]

    def test_enforce_raises_where_nobody_passes(self, looking: Analyser) -> None:
        faces = self.faces(looking, SPOOF, DARK, gate="enforce")
        with pytest.raises(LivenessError, match=r"a\.jpg"):
            passing(faces, "enforce", "a.jpg")

    def test_a_picture_without_a_face_is_no_error(self) -> None:
        assert passing([], "enforce", "a.jpg") == []

    def test_observe_keeps_all_and_tells(self, looking: Analyser) -> None:
        faces = self.faces(looking, SPOOF, LIVE, gate="observe")
        assert passing(faces, "observe", "a.jpg") == faces
        assert [face.attributes["liveness"].value for face in faces] == ["spoof", "live"]

    def test_off_asks_nobody(self, looking: Analyser) -> None:
        faces = self.faces(looking, SPOOF, gate="off")
        assert passing(faces, "off", "a.jpg") == faces
        assert faces[0].attributes == {}

    def test_what_else_is_wanted_stays_wanted(self, looking: Analyser) -> None:
        named = Want(attributes=frozenset({"age"}))
        assert wanted(named, "observe", looking).attributes == frozenset({"age", "liveness"})
        assert wanted(Want(attributes=None), "observe", looking).attributes is None
