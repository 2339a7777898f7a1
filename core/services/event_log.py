"""Events on their way: into the store, and to everybody who wants to know."""

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import attrs

from facecv.core.event import Event, EventQuery, event_json
from facecv.core.gallery import now
from facecv.core.ports.event_sink import EventSink
from facecv.core.ports.event_store import EventStore

_PAGE = 500
_PRUNE_EVERY = timedelta(hours=1)


@attrs.define(eq=False)
class EventLog:
    """Keeps events, hands them to sinks, and forgets old ones. Safe to use from several threads.

    Attributes:
        store: where they are kept; None: nowhere.
        sinks: who gets them, in that order.
        keep: how long they are kept, from when they came; None: for ever.
    """

    store: EventStore | None
    sinks: Sequence[EventSink] = ()
    keep: timedelta | None = timedelta(days=30)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)
    _pruned: datetime | None = attrs.field(default=None, init=False)

    def record(self, event: Event) -> None:
        """Take an event; it is in the store, and every sink has it, when this returns.

        Raises:
            SinkError: a sink cannot take it; the store has it all the same.
            GalleryError: the store cannot.
        """
        if self.store:
            self.store.add([event])
            self._prune(self.store)
        if self.sinks:
            shape = event_json(event)
            for sink in self.sinks:
                sink.emit(shape)

    def close(self) -> None:
        """Close the sinks; the store stays open. May be called twice."""
        for sink in self.sinks:
            sink.close()

    def _prune(self, store: EventStore) -> None:
        """Forget what is too old, now and then."""
        moment = now()
        with self._lock:
            if self.keep is None or (self._pruned and moment - self._pruned < _PRUNE_EVERY):
                return
            self._pruned = moment
        store.forget(moment - self.keep)


def all_events(store: EventStore, query: EventQuery) -> Iterator[Event]:
    """Yield all events that a query means, in the order in which they were added."""
    after = ""
    while True:
        page = store.page(query, after=after, limit=_PAGE)
        yield from page.events
        if not page.cursor:
            return
        after = page.cursor
