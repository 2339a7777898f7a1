"""A source that gives what it is told to."""

from collections.abc import Sequence
from typing import Self

import attrs

from facecv.core.stream import Frame, SourceStatus


@attrs.define(eq=False)
class FakeSource:
    """Gives one step of its `script` each time it is asked: a frame, or a state with no frame.

    ``FakeSource([Frame(0, 0.0, pixels), SourceStatus("retrying", "gone", 1), Frame(1, …)])``; it
    ends after the last step.
    """

    script: Sequence[Frame | SourceStatus]
    live: bool = False
    name: str = "fake"
    status: SourceStatus = attrs.field(factory=SourceStatus)
    _next: int = attrs.field(default=0, init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.status = attrs.evolve(self.status, state="closed")
        self._next = len(self.script)

    def take(self, timeout: float, /) -> Frame | None:
        if self._next == len(self.script):
            if self.status.state != "closed":
                self.status = attrs.evolve(self.status, state="ended")
            return None
        step = self.script[self._next]
        self._next += 1
        if isinstance(step, Frame):
            frames = self.status.frames + 1
            self.status = attrs.evolve(self.status, state="running", problem="", frames=frames)
            return step
        self.status = attrs.evolve(step, frames=self.status.frames)
        return None
