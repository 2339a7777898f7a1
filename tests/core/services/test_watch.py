"""A stream is watched: in the small world where everything can be read off the pixels."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import attrs
import numpy as np
import pytest

from facecv.adapters.galleries.memory import MemoryGallery
from facecv.core.arrays import Pixels
from facecv.core.event import Event
from facecv.core.gallery import Collection
from facecv.core.services.analyse import Analyser
from facecv.core.services.announce import Announcer
from facecv.core.services.enrol import Enroller, EnrolOptions
from facecv.core.services.recognise import Recogniser
from facecv.core.services.regard import LookOptions
from facecv.core.services.tracking import TrackOptions
from facecv.core.services.watch import Watched, Watcher, WatchOptions
from facecv.core.stream import Frame, SourceStatus
from tests.core.services import world
from tests.fakes.frame_source import FakeSource

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
ANN, BOB, NOBODY = 10, 120, 240
"""How blue their faces are; cosines between them are below 0.8."""
EASY = LookOptions(least_quality=0.0)
Step = Frame | SourceStatus


@attrs.define(eq=False)
class Stage:
    """A gallery with Ann and Bob, and a watcher that writes into `events`."""

    options: WatchOptions = attrs.field(
        factory=lambda: WatchOptions(1, TrackOptions(), EASY, frozenset())
    )
    cooldown: float = 30.0
    began: datetime | None = BEGAN
    encode: Callable[[Pixels], bytes] | None = None
    events: list[Event] = attrs.field(factory=list)
    analyser: Analyser = attrs.field(factory=world.analyser)
    gallery: MemoryGallery = attrs.field(factory=MemoryGallery)
    watcher: Watcher = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.gallery.create_collection(Collection("staff", world.SPACE, threshold=0.95))
        enroller = Enroller(self.analyser, self.gallery)
        for name, blue in (("Ann", ANN), ("Bob", BOB)):
            photo = world.picture((100, 100, 80, blue))
            enroller.enrol("staff", name, [photo], EnrolOptions("off"))
        announcer = Announcer(
            self.events.append, "door", "staff", self.cooldown, self.began, self.encode
        )
        recogniser = Recogniser(self.analyser, self.gallery, "staff")
        self.watcher = Watcher(self.analyser, recogniser.recognise, announcer, self.options)

    def watch(self, script: Sequence[Step], *, live: bool = False) -> list[Watched]:
        frames = self.watcher.watch(FakeSource(script, live))
        return [watched for watched in frames if watched is not None]

    def kinds(self, *, of: str = "") -> list[str]:
        return [event.kind for event in self.events if event.kind.startswith(of)]


def scene(
    count: int, *faces: tuple[int, int, int, int], start: int = 0, fps: float = 10.0
) -> list[Step]:
    """Return frames with the same faces (x, y, side, who)."""
    picture = world.picture(*faces)
    return [Frame(i, i / fps, picture) for i in range(start, start + count)]


def test_a_known_face_comes_and_goes() -> None:
    """Each event once, in order, with all that is known."""
    stage = Stage()
    stage.watch([*scene(10, (100, 100, 80, ANN)), *scene(30, start=10)])
    assert stage.kinds() == [
        "source.up",
        "face.appeared",
        "person.recognised",
        "face.left",
        "source.down",
    ]
    up, appeared, recognised, left, down = stage.events
    assert {event.track for event in (appeared, recognised, left)} == {recognised.track}
    assert recognised.person == "Ann"
    assert recognised.collection == "staff"
    assert recognised.similarity == pytest.approx(1.0, abs=0.01)
    assert recognised.box is not None
    assert recognised.box.x1 == pytest.approx(100, abs=2)
    assert left.person == "Ann"
    assert [e.time for e in (up, left)] == [BEGAN, BEGAN + timedelta(seconds=0.9)]
    assert up.track == down.track == ""
    assert recognised.embedding is None


def test_a_face_is_not_recognised_on_every_frame() -> None:
    """Two looks that agree are enough for forty frames."""
    stage = Stage(WatchOptions(1, TrackOptions(), attrs.evolve(EASY, recheck=100.0)))
    stage.watch(scene(40, (100, 100, 80, ANN)))
    assert stage.watcher.tally.faces == 40
    assert stage.watcher.tally.looks == 2


def test_a_stranger_is_told_with_an_embedding() -> None:
    stage = Stage(encode=lambda crop: b"jpeg of %d" % crop.shape[0])
    stage.watcher.options = attrs.evolve(stage.options, crops=True)
    stage.watch(scene(15, (100, 100, 80, NOBODY)))
    (event,) = [event for event in stage.events if event.kind == "stranger.seen"]
    assert event.embedding is not None
    assert event.crop == b"jpeg of 112"
    assert event.person_id == ""


def test_an_ambiguous_face_gets_no_name() -> None:
    """Halfway between two persons, nobody is told, not even a stranger."""
    stage = Stage()
    stage.gallery.update_collection(Collection("staff", world.SPACE, threshold=0.5, margin=0.1))
    stage.watch(scene(30, (100, 100, 80, (ANN + BOB) // 2)))
    assert stage.kinds(of="person") == stage.kinds(of="stranger") == []


def test_a_person_is_announced_once_in_a_while() -> None:
    """Who leaves and comes back within the cooldown is not told again; later, yes."""
    parts = []
    for start in (0, 25, 50):
        parts += [*scene(5, (100, 100, 80, ANN), start=start), *scene(20, start=start + 5)]
    patient, eager = Stage(cooldown=30.0), Stage(cooldown=1.0)
    for stage in (patient, eager):
        stage.watch(parts)
        assert stage.kinds(of="face.appeared") == ["face.appeared"] * 3
    assert len(patient.kinds(of="person")) == 1
    assert len(eager.kinds(of="person")) == 3


def test_a_stranger_is_announced_once_in_a_while_too() -> None:
    parts = []
    for start, who in ((0, NOBODY), (28, NOBODY), (56, 180)):
        parts += [*scene(8, (100, 100, 80, who), start=start), *scene(20, start=start + 8)]
    stage = Stage()
    stage.watch(parts)
    assert len(stage.kinds(of="stranger")) == 2


def test_several_faces_at_once() -> None:
    stage = Stage()
    faces = ((20, 20, 80, ANN), (150, 20, 80, BOB), (280, 20, 80, NOBODY))
    shown = stage.watch(scene(10, *faces))
    told = {event.person for event in stage.events if event.kind == "person.recognised"}
    assert told == {"Ann", "Bob"}
    names = [
        sight.verdict.match.person.name if sight.verdict.match else sight.verdict.standing
        for sight in sorted(shown[-1].sights, key=lambda sight: sight.detection.box.x1)
    ]
    assert names == ["Ann", "Bob", "stranger"]


def test_looks_are_bounded() -> None:
    """With five a second at most, six faces wait for their turn, and all get one."""
    look = attrs.evolve(EASY, agree=1, budget=5.0, recheck=1000.0)
    stage = Stage(WatchOptions(1, TrackOptions(), look))
    faces = [(5 + 60 * i, 20, 40, ANN) for i in range(6)]
    stage.watch(scene(20, *faces))
    assert 6 <= stage.watcher.tally.looks <= 5 * 2 + 5
    left = [event for event in stage.events if event.kind == "face.left"]
    assert {event.person for event in left} == {"Ann"}


def test_faces_are_followed_between_searches() -> None:
    """Only every third frame is searched; sights are there in between."""
    stage = Stage(WatchOptions(3, TrackOptions(), EASY))
    steps: list[Step] = []
    for index in range(30):
        steps += scene(1, (20 + 3 * index, 100, 80, ANN), start=index)
    shown = stage.watch(steps)
    assert stage.watcher.tally.searched == 10
    assert stage.kinds(of="face") == ["face.appeared", "face.left"]
    for index, watched in enumerate(shown[6:], start=6):
        (sight,) = watched.sights
        assert sight.detection.box.x1 == pytest.approx(20 + 3 * index, abs=6)


def test_a_face_that_becomes_somebody_else_is_told() -> None:
    """A mixed-up track is found out when its name is checked."""
    look = attrs.evolve(EASY, recheck=1.0)
    stage = Stage(WatchOptions(1, TrackOptions(), look), cooldown=0.0)
    stage.watch([*scene(5, (100, 100, 80, ANN)), *scene(60, (100, 100, 80, BOB), start=5)])
    told = [event.person for event in stage.events if event.kind == "person.recognised"]
    assert told == ["Ann", "Bob"]
    assert stage.kinds(of="face") == ["face.appeared", "face.left"]


def test_attributes_come_with_events() -> None:
    stage = Stage()
    stage.analyser = world.analyser(attributes=[world.WorldAttributes("blue", world.ALIGNED)])
    recogniser = Recogniser(stage.analyser, stage.gallery, "staff")
    stage.watcher.recognise = recogniser.recognise
    stage.watcher.options = attrs.evolve(stage.options, attributes=frozenset({"blue"}))
    stage.watch(scene(10, (100, 100, 80, ANN)))
    (event,) = [event for event in stage.events if event.kind == "person.recognised"]
    assert event.attributes["blue"].value == ANN


def test_without_a_collection_everybody_is_a_stranger() -> None:
    stage = Stage()
    stage.gallery.delete_collection("staff")
    stage.watch(scene(10, (100, 100, 80, ANN)))
    assert stage.kinds(of="stranger") == ["stranger.seen"]


def test_outages_are_told_once_each() -> None:
    """However often a camera is tried in between."""
    stage = Stage(began=None)
    now = datetime.now(UTC).timestamp()
    script: list[Step] = []
    for outage in range(1, 6):
        script += [Frame(0, now, world.picture()), Frame(1, now, world.picture())]
        script += [SourceStatus("retrying", "cable cut", outage)] * 4
    script.append(Frame(2, now, world.picture()))
    stage.watch(script, live=True)
    assert stage.kinds() == ["source.up", "source.down"] * 6
    assert stage.events[1].detail == "cable cut"
    assert stage.events[-1].detail == "the stream has ended"


def test_a_camera_that_never_came_is_down_once() -> None:
    stage = Stage(began=None)
    stage.watch([SourceStatus("retrying", "no route", 1)] * 5, live=True)
    assert stage.kinds() == ["source.down"]


def test_who_stops_early_gets_the_last_events() -> None:
    stage = Stage()
    frames = stage.watcher.watch(FakeSource(scene(50, (100, 100, 80, ANN))))
    for _ in range(10):
        next(frames)
    frames.close()
    assert stage.kinds()[-2:] == ["face.left", "source.down"]


def test_faces_without_landmarks_are_followed_but_not_recognised() -> None:
    stage = Stage()
    stage.watcher.analyser = world.analyser(detector=world.WorldDetector(landmarks=False))
    stage.watch(scene(10, (100, 100, 80, ANN)))
    assert stage.kinds(of="face") == ["face.appeared", "face.left"]
    assert stage.watcher.tally.looks == 0


def test_tracks_of_two_runs_have_different_names() -> None:
    tracks = set()
    for _ in range(2):
        stage = Stage()
        stage.watch(scene(10, (100, 100, 80, ANN)))
        tracks |= {event.track for event in stage.events if event.track}
    assert len(tracks) == 2


def test_latencies_are_those_of_frames_with_events() -> None:
    stage = Stage()
    stage.watch(scene(10, (100, 100, 80, ANN)))
    assert 1 <= len(stage.watcher.tally.latencies) <= 4
    assert np.all(np.array(stage.watcher.tally.latencies) >= 0)
