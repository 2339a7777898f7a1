"""All or nothing."""

import attrs
import numpy as np
import pytest

from facecv.adapters.galleries.memory import MemoryGallery
from facecv.core.embedding import EmbeddingSpace
from facecv.core.errors import (
    AlreadyExistsError,
    CollectionNotFoundError,
    EmbeddingSpaceError,
    FaceCVError,
    FaceNotFoundError,
    GalleryError,
    ImageNotFoundError,
    KnownFaceError,
    PersonNotFoundError,
    QualityError,
)
from facecv.core.gallery import Collection, Person
from facecv.core.services.enrol import Enroller, EnrolOptions
from facecv.core.services.photos import Photo
from tests.core.services.world import SPACE, WorldDetector, WorldEmbedder, analyser, picture

OFF = EnrolOptions(gate="off")
GOOD = picture((100, 100, 112, 40))
OTHER = picture((20, 20, 112, 50), (200, 200, 40, 200))
NOBODY = picture()


@pytest.fixture
def enroller() -> Enroller:
    """Return an enroller over an empty gallery."""
    return Enroller(analyser(), MemoryGallery())


def test_a_person_is_made_with_the_largest_face_of_each_photo(enroller: Enroller) -> None:
    done = enroller.enrol("staff", "Ada", [GOOD, OTHER], OFF)
    assert done.created
    assert [photo.status for photo in done.photos] == ["enrolled", "enrolled"]
    faces = [face for _, face in enroller.gallery.faces("staff", done.person.id)]
    assert {face.id for face in faces} == {photo.face_id for photo in done.photos}
    angles = sorted(float(np.degrees(np.arctan2(*f.embedding.vector[::-1]))) for f in faces)
    assert angles == pytest.approx([40 / 255 * 90, 50 / 255 * 90], abs=0.1)
    assert enroller.gallery.collection("staff").space == SPACE


def test_other_faces_that_may_have_been_meant_are_told(enroller: Enroller) -> None:
    """A photo of two persons of one size may have been taken by mistake; a passer-by counts not."""
    pair = picture((10, 10, 80, 40), (150, 10, 70, 90), (150, 150, 30, 120))
    (photo,) = enroller.enrol("staff", "Ada", [pair], OFF).photos
    assert photo.status == "enrolled"
    assert photo.others == 1


def test_enrolling_again_adds_faces_and_skips_those_it_has(enroller: Enroller) -> None:
    first = enroller.enrol("staff", "Ada", [GOOD], OFF)
    again = enroller.enrol("staff", "Ada", [GOOD, OTHER, OTHER], OFF)
    assert (again.created, again.person.id) == (False, first.person.id)
    assert [photo.status for photo in again.photos] == ["known", "enrolled", "known"]
    assert enroller.gallery.count("staff").faces == 2


@pytest.mark.parametrize(
    ("bad", "error"), [(NOBODY, FaceNotFoundError), ("absent.jpg", ImageNotFoundError)]
)
def test_a_bad_third_photo_leaves_nothing_behind(
    enroller: Enroller, bad: str, error: type[FaceCVError]
) -> None:
    with pytest.raises(error):
        enroller.enrol("staff", "Ada", [GOOD, OTHER, bad], OFF)
    with pytest.raises(CollectionNotFoundError):
        enroller.gallery.collection("staff")


def test_bad_photos_may_be_skipped_and_are_reported(enroller: Enroller) -> None:
    options = EnrolOptions(gate="off", skip_bad=True)
    done = enroller.enrol("staff", "Ada", ["absent.jpg", GOOD, NOBODY], options)
    assert [photo.status for photo in done.photos] == ["failed", "enrolled", "failed"]
    assert [getattr(photo.error, "code", "") for photo in done.photos] == [
        "image-not-found",
        "",
        "face-not-found",
    ]


def test_faces_that_were_embedded_before(enroller: Enroller) -> None:
    enroller.enrol("source", "Ada", [GOOD, OTHER], OFF)
    one, other = (face for _, face in enroller.gallery.faces("source"))
    done = enroller.enrol_faces("staff", Person("Ada", id="a"), [one])
    assert (done.created, done.person.id) == (True, "a")
    more = enroller.add_faces("staff", "a", [one, other])
    assert [photo.status for photo in more.photos] == ["known", "enrolled"]
    with pytest.raises(PersonNotFoundError):
        enroller.add_faces("staff", "b", [one])
    refusing = EnrolOptions(known_faces="refuse")
    with pytest.raises(KnownFaceError):
        enroller.enrol_faces("staff", Person("Eve"), [one], refusing)


@pytest.mark.parametrize("photos", [[], [NOBODY]])
def test_no_usable_photo_is_an_error_even_when_skipping(
    enroller: Enroller, photos: list[str]
) -> None:
    with pytest.raises(FaceNotFoundError):
        enroller.enrol("staff", "Ada", photos, EnrolOptions(gate="off", skip_bad=True))
    assert enroller.gallery.collections() == []


def test_the_gate_says_what_failed(enroller: Enroller) -> None:
    with pytest.raises(QualityError, match=r"'strict' quality gate: .*sharpness 0\.00") as caught:
        enroller.enrol("staff", "Ada", [GOOD], EnrolOptions(gate="strict"))
    failed = caught.value.details["failed"]
    assert isinstance(failed, list)
    assert "sharpness" in failed  # a face of one colour has no detail


@pytest.mark.parametrize("keep", [True, False])
def test_crops_are_the_collection_s_choice(enroller: Enroller, keep: bool) -> None:
    enroller.enrol("staff", "Ada", [GOOD], EnrolOptions(gate="off", store_crops=keep))
    enroller.enrol("staff", "Eve", [OTHER], EnrolOptions(gate="off", store_crops=not keep))
    crops = [face.crop is not None for _, face in enroller.gallery.faces("staff")]
    assert crops == [keep, keep]


def test_metadata_is_kept(enroller: Enroller) -> None:
    done = enroller.enrol("staff", "Ada", [GOOD], EnrolOptions(gate="off", metadata={"age": 36}))
    assert enroller.gallery.person("staff", done.person.id).metadata == {"age": 36}


def test_another_model_s_faces_are_refused(enroller: Enroller) -> None:
    enroller.enrol("staff", "Ada", [GOOD], OFF)
    other = WorldEmbedder(EmbeddingSpace("other", 2, "1" * 64, "none"))
    later = Enroller(analyser(embedder=other), enroller.gallery)
    with pytest.raises(EmbeddingSpaceError, match=r"world/2.*other/2"):
        later.enrol("staff", "Eve", [OTHER], OFF)
    assert enroller.gallery.count("staff").persons == 1


def test_two_persons_of_one_name_need_telling_apart(enroller: Enroller) -> None:
    enroller.enrol("staff", "Ada", [GOOD], OFF)
    enroller.gallery.add_person("staff", Person("Ada"), [])
    with pytest.raises(GalleryError, match="2 persons called 'Ada'") as caught:
        enroller.enrol("staff", "Ada", [OTHER], OFF)
    assert not isinstance(caught.value, AlreadyExistsError)


def test_a_detector_without_landmarks_cannot_enrol(enroller: Enroller) -> None:
    blind = Enroller(analyser(detector=WorldDetector(landmarks=False)), enroller.gallery)
    with pytest.raises(FaceNotFoundError, match="no landmarks"):
        blind.enrol("staff", "Ada", [GOOD], OFF)


class TestTakenNames:
    """Somebody of that name is there already."""

    def test_refused(self, enroller: Enroller) -> None:
        first = enroller.enrol("staff", "Ada", [GOOD], OFF)
        with pytest.raises(AlreadyExistsError) as caught:
            enroller.enrol("staff", "Ada", [OTHER], attrs.evolve(OFF, taken_name="refuse"))
        assert caught.value.details["person_id"] == first.person.id
        assert enroller.gallery.count("staff").faces == 1

    def test_another_person(self, enroller: Enroller) -> None:
        enroller.enrol("staff", "Ada", [GOOD], OFF)
        options = attrs.evolve(OFF, taken_name="allow")
        other = enroller.enrol("staff", Person("Ada", id="a2", metadata={"n": 2}), [OTHER], options)
        assert other.created
        assert enroller.gallery.person("staff", "a2").metadata == {"n": 2}


class TestKnownFaces:
    """Faces that are enrolled already are refused on request."""

    REFUSE = attrs.evolve(OFF, known_faces="refuse")

    def test_the_same_photo_twice(self, enroller: Enroller) -> None:
        with pytest.raises(KnownFaceError):
            enroller.enrol("staff", "Ada", [GOOD, GOOD], self.REFUSE)
        options = attrs.evolve(self.REFUSE, skip_bad=True)
        done = enroller.enrol("staff", "Ada", [GOOD, GOOD], options)
        assert [photo.status for photo in done.photos] == ["enrolled", "failed"]
        assert isinstance(done.photos[1].error, KnownFaceError)

    def test_somebody_elses_face(self, enroller: Enroller) -> None:
        ada = enroller.enrol("staff", "Ada", [GOOD], self.REFUSE).person
        with pytest.raises(KnownFaceError, match="Ada") as caught:
            enroller.enrol("staff", "Eve", [OTHER], attrs.evolve(self.REFUSE, skip_bad=True))
        assert caught.value.details["person_id"] == ada.id
        assert enroller.gallery.count("staff").persons == 1

    def test_ones_own_face_on_another_photo(self, enroller: Enroller) -> None:
        ada = enroller.enrol("staff", "Ada", [GOOD], self.REFUSE).person
        again = enroller.add_photos("staff", ada.id, [OTHER], self.REFUSE)
        assert [photo.status for photo in again.photos] == ["enrolled"]


def test_a_collection_s_own_gate_wins_over_the_engine_s(enroller: Enroller) -> None:
    enroller.gallery.create_collection(Collection("staff", SPACE, gate="strict"))
    off = attrs.evolve(enroller, gate="off")
    with pytest.raises(QualityError):
        off.enrol("staff", "Ada", [GOOD])
    assert off.enrol("staff", "Ada", [GOOD], OFF).created


def test_photos_are_added_to_somebody_who_is_there(enroller: Enroller) -> None:
    with pytest.raises(CollectionNotFoundError):
        enroller.add_photos("staff", "nobody", [GOOD], OFF)
    ada = enroller.enrol("staff", "Ada", [GOOD], OFF).person
    with pytest.raises(PersonNotFoundError):
        enroller.add_photos("staff", "nobody", [GOOD], OFF)
    added = enroller.add_photos("staff", ada.id, [Photo(OTHER, "badge.jpg")], OFF)
    assert (added.created, added.photos[0].source) == (False, "badge.jpg")


def test_a_collection_is_not_made_where_that_is_not_wanted(enroller: Enroller) -> None:
    with pytest.raises(CollectionNotFoundError):
        enroller.enrol("staff", "Ada", [GOOD], attrs.evolve(OFF, new_collection=False))
