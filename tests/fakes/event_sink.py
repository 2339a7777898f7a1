"""A sink that remembers."""

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.define(eq=False)
class FakeSink:
    """Keeps what it gets in `events`; `closed` counts how often it was closed."""

    events: list[Mapping[str, Any]] = attrs.field(factory=list)
    closed: int = 0

    def emit(self, event: Mapping[str, Any], /) -> None:
        self.events.append(event)

    def close(self) -> None:
        self.closed += 1
