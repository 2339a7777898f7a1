"""Strangers who were seen several times become persons in one step."""

from datetime import UTC, datetime, timedelta

import attrs
import cv2
import numpy as np
import pytest

from facecv.adapters.events.memory_store import MemoryEventStore
from facecv.adapters.galleries.memory import MemoryGallery
from facecv.core.embedding import Embedding
from facecv.core.errors import InputError, StrangerNotFoundError
from facecv.core.event import Event, EventQuery
from facecv.core.gallery import Collection, FaceRecord, Person
from facecv.core.image import Image, ImageSource
from facecv.core.services.enrol import Enroller
from facecv.core.services.event_log import EventLog, all_events
from facecv.core.services.strangers import Strangers, group_strangers
from tests.core.services import world
from tests.fakes.event_sink import FakeSink

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def embedding(degrees: float) -> Embedding:
    angle = np.deg2rad(degrees)
    return Embedding(np.array([np.cos(angle), np.sin(angle)], np.float32), world.SPACE)


def seen(minute: int, degrees: float, quality: float = 0.5, crop: bytes | None = None) -> Event:
    return Event(
        "stranger.seen",
        "door",
        NOON + timedelta(minutes=minute),
        id=f"{minute:03d}",
        collection="staff",
        quality=quality,
        crop=crop,
        embedding=embedding(degrees),
    )


@pytest.fixture
def strangers() -> Strangers:
    """Return the strangers of a store in which one was seen three times and one once."""
    store = MemoryEventStore()
    store.add([seen(1, 0), seen(2, 8, 0.9), seen(3, 90), seen(4, 4, 0.1)])
    return Strangers(store, Enroller(world.analyser(), MemoryGallery()), 0.9)


def test_sightings_that_are_alike_are_one_stranger() -> None:
    groups = group_strangers([seen(3, 85), seen(1, 0), seen(2, 5), seen(4, 3)], 0.95)
    assert [[event.id for event in group.events] for group in groups] == [
        ["001", "002", "004"],
        ["003"],
    ]
    assert groups[0].id == "001"


def test_a_chain_of_likeness_is_not_one_person() -> None:
    """Who is like the last sighting only, and not like the whole, is somebody else."""
    groups = group_strangers([seen(minute, 15 * minute) for minute in range(6)], 0.95)
    assert len(groups) >= 3


def test_those_seen_often_are_listed(strangers: Strangers) -> None:
    (often,) = strangers.seen("staff")
    assert len(often.events) == 3
    assert often.best.id == "002"
    assert len(strangers.seen("staff", least=1)) == 2
    assert strangers.seen("other") == []


def test_a_stranger_becomes_a_person_in_one_step(strangers: Strangers) -> None:
    """Who is enrolled is a stranger no more."""
    made = strangers.enrol("staff", "001", "Ann")
    assert made.created
    assert [photo.status for photo in made.photos] == ["enrolled"] * 3
    gallery = strangers.enroller.gallery
    assert [person.name for person in gallery.persons("staff")] == ["Ann"]
    faces = [face for _, face in gallery.faces("staff")]
    assert sorted(face.quality or 0 for face in faces) == [0.1, 0.5, 0.9]
    assert faces[0].source.startswith("door 2026-01-01T12:0")
    assert strangers.seen("staff") == []
    assert len(strangers.seen("staff", least=1)) == 1


def test_doing_it_twice_adds_nothing(strangers: Strangers) -> None:
    strangers.enrol("staff", "003", "Bob")
    faces = list(strangers.enroller.gallery.faces("staff"))
    with pytest.raises(StrangerNotFoundError, match="'003'"):
        strangers.enrol("staff", "003", "Bob")
    assert len(list(strangers.enroller.gallery.faces("staff"))) == len(faces)


def test_faces_may_be_added_to_a_person_who_is_there(strangers: Strangers) -> None:
    gallery = strangers.enroller.gallery
    gallery.create_collection(Collection("staff", world.SPACE))
    gallery.add_person("staff", Person("Ann", "a"), [FaceRecord(embedding(200))])
    assert not strangers.enrol("staff", "001", "Ann").created
    assert gallery.count("staff").faces == 4


def test_an_id_that_means_several_is_an_error(strangers: Strangers) -> None:
    with pytest.raises(InputError, match="2 strangers"):
        strangers.enrol("staff", "00", "Ann")


def test_kept_crops_go_along() -> None:
    """Where the collection stores crops."""
    jpeg = cv2.imencode(".jpg", np.full((112, 112, 3), 90, np.uint8))[1].tobytes()
    store, gallery = MemoryEventStore(), MemoryGallery()
    store.add([seen(1, 0, crop=jpeg)])
    gallery.create_collection(Collection("staff", world.SPACE, store_crops=True))
    analyser = world.analyser()
    analyser = attrs.evolve(analyser, decoder=_Jpegs())
    Strangers(store, Enroller(analyser, gallery), 0.9).enrol("staff", "001", "Ann")
    ((_, face),) = gallery.faces("staff")
    assert face.crop is not None
    assert face.crop.shape == (112, 112, 3)


class _Jpegs(world.WorldDecoder):
    def decode(self, source: ImageSource, side: int = 0, /) -> Image:
        assert isinstance(source, bytes)
        pixels = cv2.imdecode(np.frombuffer(source, np.uint8), cv2.IMREAD_COLOR)
        assert pixels is not None
        return Image(pixels.astype(np.uint8))


class TestEventLog:
    def test_events_go_into_the_store_and_to_all_sinks(self) -> None:
        store, sinks = MemoryEventStore(), [FakeSink(), FakeSink()]
        log = EventLog(store, sinks, None)
        log.record(seen(1, 0, crop=b"jpeg"))
        log.close()
        assert len(list(all_events(store, EventQuery()))) == 1
        for sink in sinks:
            (event,) = sink.events
            assert event["kind"] == "stranger.seen"
            assert event["crop"] == "anBlZw=="
            assert "embedding" not in event
            assert sink.closed == 1

    @pytest.mark.parametrize(("keep", "left"), [(1, 2), (-1, 0)])
    def test_events_are_forgotten_by_when_they_came(self, keep: int, left: int) -> None:
        """Long after they happened; in a minute that is over, all of them came too long ago."""
        store = MemoryEventStore()
        store.add([seen(1, 0)])
        EventLog(store, keep=timedelta(minutes=keep)).record(seen(2, 0))
        assert len(list(all_events(store, EventQuery()))) == left

    def test_all_events_are_all_pages(self) -> None:
        store = MemoryEventStore()
        store.add([attrs.evolve(seen(1, 0), id=str(number)) for number in range(1200)])
        assert len(list(all_events(store, EventQuery()))) == 1200
