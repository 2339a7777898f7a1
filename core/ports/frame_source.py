"""Port: videos and cameras."""

from collections.abc import Iterator
from typing import Protocol, Self

from facecv.core.stream import Frame, SourceState


class FrameSource(Protocol):
    """A stream of frames; a context manager that is iterated once."""

    @property
    def state(self) -> SourceState:
        """What the source is doing."""
        ...

    def __enter__(self) -> Self:
        """Open the source."""
        ...

    def __exit__(self, *exc: object) -> None:
        """Close it; iteration ends."""
        ...

    def __iter__(self) -> Iterator[Frame]:
        """Yield frames: every one of a file, the newest of a live source."""
        ...
