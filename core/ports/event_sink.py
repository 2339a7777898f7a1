"""Port: where events go."""

from collections.abc import Mapping
from typing import Protocol


class EventSink(Protocol):
    """Takes events, one JSON object each."""

    def emit(self, event: Mapping[str, object], /) -> None:
        """Hand over one event; returns when the sink has taken responsibility for it."""
        ...

    def close(self) -> None:
        """Flush and release. May be called twice."""
        ...
