"""Cameras of this machine, through OpenCV."""

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import attrs
import cv2
import numpy as np

from facecv.adapters.frames.threaded import CAMERA_BACKOFF, Grab, SourceOptions, ThreadedSource
from facecv.core.arrays import Pixels
from facecv.core.backoff import Backoff
from facecv.core.errors import SourceError

_LEVEL_LOCK = threading.Lock()
"""Held while the log level of OpenCV, which the process has one of, is another."""


@attrs.frozen
class WebcamReader:
    """Opens a camera and yields its pictures.

    Attributes:
        device: its number, or the path of its device file.
    """

    device: int | str

    def __call__(self) -> Generator[Grab, None, None]:
        """Yield pictures until the camera gives none.

        Raises:
            SourceError: it cannot be opened.
        """
        if isinstance(self.device, str) and not Path(self.device).exists():
            raise SourceError(f"there is no camera {self.device}")
        try:
            with _quiet():
                capture = cv2.VideoCapture(self.device)
        except cv2.error as error:
            raise SourceError(f"the camera {self.device} cannot be opened") from error
        try:
            if not capture.isOpened():
                raise SourceError(f"the camera {self.device} cannot be opened")
            while capture.grab():
                yield Grab(None, partial(_same, _retrieved(capture)))
        finally:
            capture.release()


def webcam(device: str, *, fps: float = 0.0, backoff: Backoff | None = None) -> ThreadedSource:
    """Return a source of the newest frames of a camera.

    Args:
        device: its number in digits, or the path of its device file.
        fps: the most frames a second; 0: all.
        backoff: how long to wait before a lost camera is tried again.
    """
    reader = WebcamReader(int(device) if device.isdecimal() else device)
    options = SourceOptions(True, fps, backoff or CAMERA_BACKOFF)
    return ThreadedSource(f"webcam:{device}", reader, options)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep OpenCV from printing how each of its ways of opening a camera failed."""
    logging = cv2.utils.logging
    with _LEVEL_LOCK:
        level = logging.setLogLevel(logging.LOG_LEVEL_SILENT)
        try:
            yield
        finally:
            logging.setLogLevel(level)


def _retrieved(capture: cv2.VideoCapture) -> Pixels:
    """Return the picture now: the camera overwrites it with the next one."""
    done, pixels = capture.retrieve()
    if not done or pixels is None:
        raise SourceError("the camera gave a picture that cannot be decoded")
    return np.asarray(pixels, dtype=np.uint8)


def _same(pixels: Pixels) -> Pixels:
    return pixels
