"""Events in memory: for tests, and for what must not be kept."""

import threading
import time
from collections.abc import Sequence
from datetime import datetime

from facecv.core.errors import InputError
from facecv.core.event import Event, EventPage, EventQuery
from facecv.core.gallery import now


class MemoryEventStore:
    """Keeps events in this process; gone when it ends."""

    def __init__(self) -> None:
        self._events: dict[int, Event] = {}
        self._added: dict[int, datetime] = {}
        self._ids: set[str] = set()
        self._count = time.time_ns() // 1000  # no position of an earlier process comes again
        self._lock = threading.Lock()

    def add(self, events: Sequence[Event], /) -> None:
        """Keep events that are not there yet."""
        with self._lock:
            for event in events:
                if event.id not in self._ids:
                    self._count += 1
                    self._events[self._count], self._added[self._count] = event, now()
                    self._ids.add(event.id)

    def page(
        self, query: EventQuery, /, *, after: str = "", limit: int = 100, newest: bool = False
    ) -> EventPage:
        """Return events in the order in which they were added, or the other way round."""
        start = position_of(after)
        with self._lock:
            keys = sorted(self._events, reverse=newest)
            chosen = [
                key
                for key in keys
                if (start is None or (key < start if newest else key > start))
                and query.accepts(self._events[key])
            ]
            events = tuple(self._events[key] for key in chosen[:limit])
        positions = tuple(map(str, chosen[:limit]))
        return EventPage(events, positions[-1] if len(chosen) > limit else "", positions)

    def tail(self, after: str = "", /) -> str:
        """Return where to read on for what was added after a cursor."""
        start = position_of(after)
        with self._lock:
            return str(self._count if start is None else min(start, self._count))

    def remove(self, query: EventQuery, /) -> int:
        """Forget events."""
        with self._lock:
            return self._drop([k for k, event in self._events.items() if query.accepts(event)])

    def forget(self, before: datetime, /) -> int:
        """Forget events that were added before a moment."""
        with self._lock:
            return self._drop([key for key, added in self._added.items() if added < before])

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def _drop(self, keys: Sequence[int]) -> int:
        for key in keys:
            del self._added[key]
            self._ids.discard(self._events.pop(key).id)
        return len(keys)


def position_of(cursor: str) -> int | None:
    """Return the position a cursor stands for, None for the beginning; raise `InputError`."""
    if not cursor:
        return None
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 19):
        raise InputError(f"{cursor!r} is not a cursor of a list of events")
    return int(cursor)
