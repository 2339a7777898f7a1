"""Events as they happen, read from the event store: in its order, each once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import attrs

from facecv.core.event import EventPage, EventQuery, event_json
from facecv.core.ports.event_store import EventStore
from facecv.entrypoints.http.event_hub import Follower

Told = tuple[str, Mapping[str, Any]]
"""The position of an event, and the event as JSON."""
_AT_ONCE = 100
_LOOK = 1.0
"""Seconds after which the store is asked although nobody rang: another process may have added."""
_SILENCE = 15.0
"""Seconds after which a client that gets no event hears that all is well."""


@attrs.frozen(eq=False)
class EventFeed:
    """The events that one client wants, from a position on.

    Attributes:
        store: where events are; whoever adds them wakes the client afterwards.
        query: which events.
        start: they are told from there on.
        is_allowed: whether the client may still have them; asked before each batch.
    """

    store: EventStore
    query: EventQuery
    start: str
    is_allowed: Callable[[], bool]

    async def batches(self, mine: Follower) -> AsyncIterator[Sequence[Told]]:
        """Yield events until the client is let go; now and then none at all, as a sign of life.

        Raises:
            GalleryError: the store cannot be read.
        """
        position, clock = self.start, asyncio.get_running_loop().time
        told = clock()
        while self.is_allowed():
            last_look = mine.ended
            page = await asyncio.to_thread(self._page, position)
            if page.events or clock() - told >= _SILENCE:
                told = clock()
                yield [
                    (at, event_json(event))
                    for at, event in zip(page.positions, page.events, strict=True)
                ]
            position = page.positions[-1] if page.positions else position
            if page.cursor:
                continue
            if last_look:
                return
            await mine.news(_LOOK)

    def _page(self, position: str) -> EventPage:
        return self.store.page(self.query, after=position, limit=_AT_ONCE)
