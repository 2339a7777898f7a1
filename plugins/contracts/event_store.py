"""Promises of `facecv.core.ports.event_store`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import numpy as np
import pytest

from facecv.core.attributes import AttributeValue, HeadPose
from facecv.core.embedding import Embedding, EmbeddingSpace
from facecv.core.errors import InputError
from facecv.core.event import Event, EventKind, EventQuery
from facecv.core.geometry import Box
from facecv.core.ports.event_store import EventStore

NOON = datetime(2026, 5, 6, 12, 0, 0, 123456, tzinfo=UTC)
EVERYTHING = EventQuery()


def event(number: int, kind: EventKind = "face.appeared", **facts: Any) -> Event:  # noqa: ANN401 - any of an event's
    """Return an event `number` minutes past noon."""
    return Event(kind, facts.pop("source", "door"), NOON + timedelta(minutes=number), **facts)


def full_event() -> Event:
    """Return an event that has everything."""
    space = EmbeddingSpace("m", 3, "0" * 64, "p")
    return Event(
        "stranger.seen",
        "door",
        NOON,
        collection="staff",
        track="run-1",
        box=Box(1.5, 2, 30, 40),
        person_id="p1",
        person="Zoë",
        similarity=0.75,
        quality=0.5,
        attributes={
            "age": AttributeValue(31.0, 0.5, {"a": 0.25}, "net"),
            "pose": AttributeValue(HeadPose(1.5, -2.0, 0.25), reason="small"),
        },
        detail="why",
        crop=b"\xff\xd8jpeg",
        embedding=Embedding(np.array([0.6, 0.8, 0.0], np.float32), space),
    )


class EventStoreContract:
    """Subclass this and override `store`."""

    @pytest.fixture
    def store(self) -> EventStore:
        """Return the implementation under test, empty."""
        raise NotImplementedError

    def test_events_come_back_as_they_were(self, store: EventStore) -> None:
        """With everything that is known about them."""
        made = full_event()
        store.add([made])
        (found,) = store.page(EVERYTHING).events
        for name in attrs.fields_dict(Event):
            assert getattr(found, name) == getattr(made, name), name

    def test_empty_facts_come_back_empty(self, store: EventStore) -> None:
        """An event of a source has neither box nor person."""
        store.add([event(0, "source.up")])
        (found,) = store.page(EVERYTHING).events
        assert (found.box, found.crop, found.embedding, found.quality) == (None,) * 4
        assert found.time == NOON

    def test_an_event_is_kept_once(self, store: EventStore) -> None:
        """Adding it again changes nothing."""
        one = event(1)
        store.add([one])
        store.add([one, event(2)])
        assert len(store.page(EVERYTHING).events) == 2

    @pytest.mark.parametrize("newest", [False, True])
    def test_pages_follow_one_another(self, store: EventStore, newest: bool) -> None:
        """Nothing is left out or told twice, and an empty cursor ends the list."""
        made = [event(number) for number in range(7)]
        store.add(made)
        seen, after = [], ""
        for _ in range(4):
            page = store.page(EVERYTHING, after=after, limit=3, newest=newest)
            assert len(page.events) <= 3
            seen += [each.id for each in page.events]
            after = page.cursor
            if not after:
                break
        ids = [each.id for each in made]
        assert seen == (ids[::-1] if newest else ids)

    def test_a_full_last_page_has_no_cursor(self, store: EventStore) -> None:
        """There is no empty page at the end."""
        store.add([event(number) for number in range(4)])
        page = store.page(EVERYTHING, limit=2)
        assert store.page(EVERYTHING, limit=2, after=page.cursor).cursor == ""

    def test_what_comes_later_is_on_a_later_page(self, store: EventStore) -> None:
        """A cursor stays good while events are added."""
        store.add([event(1), event(2), event(3)])
        page = store.page(EVERYTHING, limit=2)
        late = event(0)
        store.add([late])
        assert [e.id for e in store.page(EVERYTHING, after=page.cursor).events][-1] == late.id

    def test_whoever_reads_on_misses_nothing(self, store: EventStore) -> None:
        """From any event on, also if that one was forgotten, and where there was none."""
        nobody = store.tail()
        made = [event(number) for number in range(4)]
        store.add(made)
        first = store.page(EVERYTHING, after=nobody)
        assert len(first.positions) == 4
        for number, position in enumerate(first.positions):
            assert self._read_on(store, position) == [each.id for each in made[number + 1 :]]
        store.remove(EVERYTHING)
        late = event(9)
        end = store.tail()
        store.add([late])
        for position in (nobody, *first.positions, end):
            assert self._read_on(store, position) == [late.id]

    def test_whoever_comes_from_elsewhere_begins_now(self, store: EventStore) -> None:
        """A position that no event ever had must not hide what comes."""
        store.add([event(1)])
        start, late = store.tail("9" * 18), event(2)
        store.add([late])
        assert self._read_on(store, start) == [late.id]
        with pytest.raises(InputError, match="cursor"):
            store.tail("x")

    def _read_on(self, store: EventStore, position: str) -> list[str]:
        page = store.page(EVERYTHING, after=store.tail(position))
        return [each.id for each in page.events]

    @pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "٣", "1" * 30])
    def test_nonsense_is_no_cursor(self, store: EventStore, cursor: str) -> None:
        """It is an error of the caller."""
        with pytest.raises(InputError, match="cursor"):
            store.page(EVERYTHING, after=cursor)

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (EventQuery(kinds=frozenset({"source.up", "face.left"})), [0, 3]),
            (EventQuery(source="gate"), [2]),
            (EventQuery(collection="staff"), [1]),
            (EventQuery(person_id="p1"), [1, 3]),
            (EventQuery(track="t"), [3]),
            (EventQuery(since=NOON + timedelta(minutes=1)), [1, 2, 3]),
            (EventQuery(until=NOON + timedelta(minutes=1)), [0]),
            (EventQuery(person_id="p1", since=NOON + timedelta(minutes=2)), [3]),
        ],
    )
    def test_queries_choose_and_remove(
        self, store: EventStore, query: EventQuery, expected: list[int]
    ) -> None:
        """What a query finds is what it removes."""
        made = [
            event(0, "source.up"),
            event(1, "person.recognised", collection="staff", person_id="p1", person="Ann"),
            event(2, source="gate"),
            event(3, "face.left", person_id="p1", track="t"),
        ]
        store.add(made)
        chosen = [made[number].id for number in expected]
        assert [each.id for each in store.page(query).events] == chosen
        assert store.remove(query) == len(chosen)
        rest = [each.id for each in store.page(EVERYTHING).events]
        assert rest == [each.id for each in made if each.id not in chosen]

    def test_what_was_added_long_ago_is_forgotten(self, store: EventStore) -> None:
        """When it happened does not count: a film of last year may be watched today."""
        store.add([event(0), event(1)])
        minute, moment = timedelta(minutes=1), datetime.now(UTC)
        assert store.forget(moment - minute) == 0
        assert len(store.page(EVERYTHING).events) == 2
        assert store.forget(moment + minute) == 2
        assert store.page(EVERYTHING).events == ()

    def test_closing_twice_is_fine(self, store: EventStore) -> None:
        """The second time does nothing."""
        store.close()
        store.close()
