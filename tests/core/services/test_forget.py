"""Whoever is deleted is gone from the events too."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from facecv.adapters.events.memory_store import MemoryEventStore
from facecv.adapters.events.sqlite_store import SqliteEventStore
from facecv.adapters.galleries.memory import MemoryGallery
from facecv.adapters.galleries.sqlite.gallery import SqliteGallery
from facecv.core.errors import CollectionNotFoundError, NotEmptyError, PersonNotFoundError
from facecv.core.event import Event, EventKind, EventQuery
from facecv.core.gallery import Collection, Person
from facecv.core.services.event_log import all_events
from facecv.core.services.forget import Forgetter
from tests.core.services import world

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def event(name: str, kind: EventKind, track: str = "", who: str = "", where: str = "team") -> Event:
    return Event(kind, "door", NOON, id=name, collection=where, track=track, person_id=who)


EVENTS = [
    event("up", "source.up"),
    event("ann comes", "face.appeared", "1"),
    event("ann unknown", "stranger.seen", "1"),
    event("ann known", "person.recognised", "1", "ann"),
    event("bob comes", "face.appeared", "2"),
    event("bob known", "person.recognised", "2", "bob"),
    event("ann again", "person.recognised", "3", "ann"),
    event("ann without a track", "person.recognised", "", "ann"),
    event("another ann", "person.recognised", "4", "ann", "guests"),
]
ABOUT_ANN = {"ann comes", "ann unknown", "ann known", "ann again", "ann without a track"}


def in_memory(_: Path) -> Forgetter:
    return Forgetter(MemoryGallery(), MemoryEventStore())


def in_one_file(folder: Path) -> Forgetter:
    gallery = SqliteGallery(folder / "g.db")
    return Forgetter(gallery, SqliteEventStore(folder / "g.db", busy_timeout=1.0))


@pytest.fixture(params=[in_memory, in_one_file])
def forgetter(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Forgetter]:
    """Return what deletes from a team of Ann and two Bobs, who were seen."""
    make: Callable[[Path], Forgetter] = request.param
    made = make(tmp_path)
    for name in ("team", "guests"):
        made.gallery.create_collection(Collection(name, world.SPACE))
    for who in ("ann", "bob", "bob2"):
        made.gallery.add_person("team", Person(who[:3].title(), id=who), [])
    made.events.add(EVENTS)
    yield made
    made.events.close()
    made.gallery.close()


def left(forgetter: Forgetter) -> set[str]:
    return {event.id for event in all_events(forgetter.events, EventQuery())}


ALL = {event.id for event in EVENTS}


def test_a_person_goes_with_every_stay_of_hers(forgetter: Forgetter) -> None:
    """Also with what was told before she was recognised; other collections keep theirs."""
    forgetter.person("team", "ann")
    assert left(forgetter) == ALL - ABOUT_ANN
    with pytest.raises(PersonNotFoundError):
        forgetter.gallery.person("team", "ann")


def test_events_of_whoever_is_not_enrolled_stay(forgetter: Forgetter) -> None:
    """An id of another collection does nothing here."""
    with pytest.raises(PersonNotFoundError):
        forgetter.person("guests", "ann")
    assert left(forgetter) == ALL


def test_everybody_of_a_name_goes(forgetter: Forgetter) -> None:
    assert {person.id for person in forgetter.everybody_called("team", "Bob")} == {"bob", "bob2"}
    assert left(forgetter) == ALL - {"bob comes", "bob known"}
    assert [person.id for person in forgetter.gallery.persons("team")] == ["ann"]
    assert forgetter.everybody_called("team", "Nobody") == []


def test_a_collection_goes_with_all_its_events(forgetter: Forgetter) -> None:
    forgetter.collection("team")
    assert left(forgetter) == {"another ann"}
    with pytest.raises(CollectionNotFoundError):
        forgetter.collection("team")


def test_a_collection_with_persons_may_be_spared(forgetter: Forgetter) -> None:
    with pytest.raises(NotEmptyError, match="3 persons"):
        forgetter.collection("team", only_empty=True)
    assert left(forgetter) == ALL
    _, *others = forgetter.gallery.persons("team")
    for person in others:
        forgetter.gallery.delete_person("team", person.id)
    with pytest.raises(NotEmptyError, match=r"1 person "):
        forgetter.collection("team", only_empty=True)
    forgetter.collection("guests", only_empty=True)
    assert left(forgetter) == ALL - {"another ann"}
