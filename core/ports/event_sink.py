"""Port: where events go."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from facecv.core.event import DeadLetter


class EventSink(Protocol):
    """Takes events, one JSON object each (`facecv.core.event.event_json` makes them)."""

    def emit(self, event: Mapping[str, Any], /) -> None:
        """Hand over one event; returns when the sink has taken responsibility for it.

        May be called from several threads. Events of one source are delivered in the order in
        which they were handed over, at least within a track.

        Raises:
            SinkError: the sink cannot take it.
        """
        ...

    def close(self) -> None:
        """Flush and release. May be called twice."""
        ...


class DeliveringSink(EventSink, Protocol):
    """A sink that delivers to somebody else, at least once, and gives up after many tries."""

    def dead_letters(self) -> Sequence[DeadLetter]:
        """Return what was given up, oldest first."""
        ...

    def revive(self) -> int:
        """Try again to deliver what was given up; return how many events that is."""
        ...
