"""Port: videos for people to look at."""

from typing import Protocol

from facecv.core.arrays import Pixels


class VideoSink(Protocol):
    """Takes pictures one after another: a file that is written, a window that shows them."""

    def write(self, image: Pixels, time: float, /) -> bool:
        """Add a picture; return False once nobody wants more (somebody closed the window).

        Args:
            image: uint8 [H, W, 3] BGR; all of one video have the size of the first.
            time: seconds, rising.

        Raises:
            SinkError: it cannot be written.
        """
        ...

    def close(self) -> None:
        """Finish the video. May be called twice."""
        ...
