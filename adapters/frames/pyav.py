"""Videos, RTSP and HTTP cameras through PyAV (FFmpeg): the one module that imports it."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from facecv.adapters.frames.threaded import Grab
from facecv.core.arrays import Pixels
from facecv.core.errors import RuntimeMissingError, SourceError
from facecv.core.urls import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av import VideoFrame
    from av.container import InputContainer


def import_av() -> ModuleType:
    """Return the package `av`.

    Raises:
        RuntimeMissingError: it is not installed.
    """
    try:
        import av  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise RuntimeMissingError(
            "videos need the package 'av'", hint="pip install 'facecv[streams]'"
        ) from error
    return av


@attrs.frozen
class AvReader:
    """Opens an address with FFmpeg and yields its pictures.

    Attributes:
        address: a path or URL, secrets included.
        live: whether pictures have no time of their own.
        timeout: seconds that opening, and each read, may take.
        options: for FFmpeg.
    """

    address: str = attrs.field(repr=False)
    live: bool
    timeout: float = 10.0
    options: Mapping[str, str] = attrs.field(factory=dict)

    def __call__(self) -> Generator[Grab, None, None]:
        """Yield the pictures of the first video track.

        Raises:
            SourceError: it cannot be opened or read; names the address without its secrets.
        """
        with self._translated(), self._opened() as container:
            if not container.streams.video:
                raise SourceError(f"{redacted(self.address)} has no video")
            stream = container.streams.video[0]
            # Frames in parallel are the fastest; for a camera each would add its own delay.
            stream.thread_type = "SLICE" if self.live else "AUTO"
            start = None
            for index, frame in enumerate(container.decode(stream)):
                moment = _moment(frame, index, float(stream.average_rate or 25))
                start = moment if start is None else start
                yield Grab(None if self.live else moment - start, _Picture(frame))

    @contextmanager
    def _opened(self) -> "Iterator[InputContainer]":
        av = import_av()
        container = av.open(
            self.address, timeout=(self.timeout, self.timeout), options=dict(self.options)
        )
        with container:
            yield container

    @contextmanager
    def _translated(self) -> "Iterator[None]":
        """Turn FFmpeg's errors into ours; their own texts hold the address with its password."""
        av = import_av()
        try:
            yield
        except (av.error.FFmpegError, OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise SourceError(
                f"{redacted(self.address)} cannot be read: {reason}",
                hint="is the address right, and does a player show it?",
            ) from None


@attrs.frozen(eq=False)
class _Picture:
    """A decoded frame; called, it gives upright BGR."""

    frame: "VideoFrame"

    def __call__(self) -> Pixels:
        pixels: Any = self.frame.to_ndarray(format="bgr24")
        turns = self.frame.rotation // 90 % 4  # counterclockwise
        return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def _moment(frame: "VideoFrame", index: int, rate: float) -> float:
    return index / rate if frame.pts is None else float(frame.time)
