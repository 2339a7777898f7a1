"""Promises of `facecv.core.ports.event_sink`."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from facecv.core.event import Event, event_json
from facecv.core.geometry import Box
from facecv.core.ports.event_sink import EventSink

Arrived = Callable[[int], Sequence[Mapping[str, Any]]]
"""Waits until so many events have arrived, and returns all that have, in order."""


def example(number: int, track: str = "a-1") -> dict[str, Any]:
    """Return an event of a track; `similarity` tells which."""
    event = Event(
        "person.recognised",
        "front door",
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        track=track,
        box=Box(1, 2, 30, 40),
        person_id="42",
        person="Zoë 花子",
        similarity=number / 1000,
    )
    return event_json(event)


class EventSinkContract:
    """Subclass this and override `sink` and `arrived`."""

    @pytest.fixture
    def sink(self) -> EventSink:
        """Return the implementation under test, open."""
        raise NotImplementedError

    @pytest.fixture
    def arrived(self) -> Arrived:
        """Return what waits for events at the other end."""
        raise NotImplementedError

    def test_events_arrive_unchanged(self, sink: EventSink, arrived: Arrived) -> None:
        """Whatever letters they hold."""
        event = example(1)
        sink.emit(event)
        assert list(arrived(1)) == [event]
        sink.close()

    def test_events_of_a_track_arrive_in_order(self, sink: EventSink, arrived: Arrived) -> None:
        """Whatever other tracks do meanwhile."""
        for number in range(20):
            sink.emit(example(number, f"a-{number % 2}"))
        events = arrived(20)
        for track in ("a-0", "a-1"):
            numbers = [event["similarity"] for event in events if event["track"] == track]
            assert numbers == sorted(numbers)
            assert len(numbers) == 10
        sink.close()

    def test_several_threads_may_emit(self, sink: EventSink, arrived: Arrived) -> None:
        """No event gets lost or mixed up with another."""

        def emit(track: int) -> None:
            for number in range(10):
                sink.emit(example(number, f"t-{track}"))

        threads = [threading.Thread(target=emit, args=[track]) for track in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({event["id"] for event in arrived(30)}) == 30
        sink.close()

    def test_closing_flushes_and_may_be_done_twice(self, sink: EventSink, arrived: Arrived) -> None:
        """What was handed over before arrives."""
        sink.emit(example(7))
        sink.close()
        sink.close()
        assert len(arrived(1)) == 1
