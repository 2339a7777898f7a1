"""Port: where events go."""

from collections.abc import Mapping
from typing import Any, Protocol


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
