"""Writing videos, through PyAV."""

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from facecv.adapters.frames.pyav import import_av
from facecv.core.arrays import Pixels
from facecv.core.errors import SinkError

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

_TICKS = 90_000
"""Steps of a second in which times are written, as in most videos."""
_CODECS = ("libx264", "libopenh264", "mpeg4")
"""The best first; which are there depends on how FFmpeg was built."""


class Mp4Recorder:
    """Writes an MP4 file that browsers play; frames keep their times."""

    def __init__(self, path: Path) -> None:
        """Make a recorder; the file appears with the first picture.

        Raises:
            RuntimeMissingError: PyAV is not installed.
        """
        self._path = path
        self._av = import_av()
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._start = 0.0
        self._last = -1

    def write(self, image: Pixels, time: float, /) -> bool:
        """Add a picture; a time that does not rise is put one step after the last."""
        try:
            if self._stream is None:
                self._open(image, time)
            self._add(image, time)
        except (self._av.error.FFmpegError, OSError) as error:
            raise SinkError(f"{self._path} cannot be written: {error.strerror}") from error
        return True

    def close(self) -> None:
        """Finish the file."""
        container, stream = self._container, self._stream
        self._container = self._stream = None
        if container is not None and stream is not None:
            with container:
                container.mux(stream.encode())

    def _open(self, image: Pixels, time: float) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        container = self._av.open(str(self._path), "w", format="mp4")
        codec = next(name for name in _CODECS if name in self._av.codecs_available)
        stream = container.add_stream(codec, rate=30)
        # Pictures are even in size where colours are stored at half resolution.
        stream.height, stream.width = (side - side % 2 for side in image.shape[:2])
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, _TICKS)
        if codec == "libx264":
            stream.options = {"crf": "21", "preset": "veryfast"}
        self._container, self._stream, self._start = container, stream, time

    def _add(self, image: Pixels, time: float) -> None:
        if self._container is None or self._stream is None:
            raise SinkError(f"{self._path} is finished")
        if image.shape[0] < self._stream.height or image.shape[1] < self._stream.width:
            raise SinkError(f"{self._path}: the size of the pictures has changed")
        cut = image[: self._stream.height, : self._stream.width]
        frame = self._av.VideoFrame.from_ndarray(cut.copy(), format="bgr24")
        self._last = max(round((time - self._start) * _TICKS), self._last + 1)
        frame.pts, frame.time_base = self._last, Fraction(1, _TICKS)
        self._container.mux(self._stream.encode(frame))
