"""Frames that a caller hands in."""

import threading
import time as clock
from typing import Self

import attrs

from facecv.adapters.frames.mailbox import Mailbox
from facecv.core.arrays import Pixels, check_pixels
from facecv.core.errors import SourceError
from facecv.core.stream import Frame, SourceStatus


class PushSource:
    """Hands over the newest frame that was pushed; safe to use from several threads."""

    live = True

    def __init__(self, name: str = "push") -> None:
        """Make a source that is not open yet."""
        self.name = name
        self._box: Mailbox[Frame] = Mailbox(1, replace=True)
        self._status = SourceStatus()
        self._lock = threading.Lock()
        self._never = threading.Event()

    @property
    def status(self) -> SourceStatus:
        """``connecting`` until the first frame comes, ``running`` from then on."""
        return attrs.evolve(self._status, dropped=self._box.dropped)

    def __enter__(self) -> Self:
        """Accept frames from now on."""
        return self

    def __exit__(self, *_: object) -> None:
        """Refuse frames from now on."""
        with self._lock:
            self._status = attrs.evolve(self._status, state="closed")
        self._box.close()

    def push(self, pixels: Pixels, time: float | None = None, /) -> None:
        """Hand in a frame; one that was not taken yet is dropped."""
        check_pixels(pixels)
        with self._lock:
            if self._status.state == "closed":
                raise SourceError(f"the stream {self.name!r} is closed")
            index = self._status.frames
            self._status = attrs.evolve(self._status, state="running", frames=index + 1)
            self._box.put(Frame(index, clock.time() if time is None else time, pixels))

    def take(self, timeout: float, /) -> Frame | None:
        """Return the newest frame."""
        return self._box.take(timeout, self._never)
