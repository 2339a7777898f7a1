"""Port: where events are kept, to be listed later."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from facecv.core.event import Event, EventPage, EventQuery


class EventStore(Protocol):
    """Keeps events in the order in which they were added. Safe to use from several threads."""

    def add(self, events: Sequence[Event], /) -> None:
        """Keep events, all or none; durable when it returns. One that is there is left alone."""
        ...

    def page(
        self, query: EventQuery, /, *, after: str = "", limit: int = 100, newest: bool = False
    ) -> EventPage:
        """Return events in the order in which they were added.

        Args:
            query: which.
            after: the cursor of the page before; empty: from the beginning.
            limit: the most to return, at least 1.
            newest: the other way round, the newest first.

        Raises:
            InputError: that is not a cursor.
        """
        ...

    def tail(self, after: str = "", /) -> str:
        """Return where to read on, oldest first, for what was added after a cursor.

        A cursor stays good when the events before it are forgotten, and while none was added.

        Args:
            after: the position of the last event that was read; empty, or of an event that never
                was: from now on.

        Raises:
            InputError: that is not a cursor.
        """
        ...

    def remove(self, query: EventQuery, /) -> int:
        """Forget events; return how many."""
        ...

    def forget(self, before: datetime, /) -> int:
        """Forget events that were added before a moment, whenever they happened.

        Returns how many.
        """
        ...

    def close(self) -> None:
        """Release files. May be called twice."""
        ...
