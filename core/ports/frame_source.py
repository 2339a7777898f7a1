"""Port: videos and cameras."""

from typing import Protocol, Self

from facecv.core.arrays import Pixels
from facecv.core.stream import Frame, SourceStatus


class FrameSource(Protocol):
    """A stream of frames: a context manager that is entered once, and asked for frames.

    Frames come by asking with a time limit, not by iteration, so that whoever watches a dead
    camera can still tell the time.
    """

    @property
    def name(self) -> str:
        """What people call it: a path, or a URL without user, password and query."""
        ...

    @property
    def live(self) -> bool:
        """Whether frames get lost unless they are taken in time."""
        ...

    @property
    def status(self) -> SourceStatus:
        """How the source is doing; may be asked from any thread."""
        ...

    def __enter__(self) -> Self:
        """Open the source; a camera that is not there yet is no error."""
        ...

    def __exit__(self, *exc: object) -> None:
        """Close it; a `take` that waits returns None. May be called twice."""
        ...

    def take(self, timeout: float, /) -> Frame | None:
        """Return the next frame of a file, or the newest of a live source.

        None: there was none within `timeout` seconds, or the source has ended (see `status`).

        Raises:
            SourceError: a file cannot be read; a live source is tried again instead.
        """
        ...


class PushedSource(FrameSource, Protocol):
    """A source whose frames come from a caller."""

    def push(self, pixels: Pixels, time: float | None = None, /) -> None:
        """Hand in a frame; never waits.

        Args:
            pixels: uint8 [H, W, 3] BGR; must not be changed afterwards.
            time: seconds since the epoch; None: now.

        Raises:
            InputError: it is not a picture.
            SourceError: the source is not open.
        """
        ...
