"""A folder of pictures as a stream, for time lapses and for tests."""

from collections.abc import Generator
from functools import partial
from pathlib import Path

import attrs
import cv2
import numpy as np
import structlog

from facecv.adapters.frames.threaded import Grab, SourceOptions, ThreadedSource
from facecv.core.arrays import Pixels
from facecv.core.errors import SourceError

_SUFFIXES = frozenset([".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"])


@attrs.frozen
class FolderReader:
    """Reads the pictures of a folder by name.

    Attributes:
        folder: where they are; folders in it are left alone.
        rate: how many of them make a second.
    """

    folder: Path
    rate: float

    def __call__(self) -> Generator[Grab, None, None]:
        """Yield the pictures; one that cannot be read is reported and left out.

        Raises:
            SourceError: there is no picture that can be read.
        """
        files = sorted(
            path
            for path in self.folder.iterdir()
            if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".")
        )
        read = 0
        for index, file in enumerate(files):
            pixels = _read(file)
            if pixels is None:
                structlog.get_logger().warning("picture left out", file=str(file))
                continue
            read += 1
            yield Grab(index / self.rate, partial(_same, pixels))
        if not read:
            raise SourceError(f"the folder {self.folder} holds no picture that can be read")


def picture_folder(address: str, *, rate: float = 1.0, fps: float = 0.0) -> ThreadedSource:
    """Return a source of every picture of a folder.

    Args:
        address: the folder.
        rate: how many pictures make a second.
        fps: the most frames a second; 0: all.

    Raises:
        SourceError: there is no such folder.
    """
    folder = Path(address)
    if not folder.is_dir():
        raise SourceError(f"there is no folder {address}")
    options = SourceOptions(live=False, fps=fps)
    return ThreadedSource(address, FolderReader(folder, rate), options)


def _read(file: Path) -> Pixels | None:
    data = np.frombuffer(file.read_bytes(), np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    return None if pixels is None else np.asarray(pixels, dtype=np.uint8)


def _same(pixels: Pixels) -> Pixels:
    return pixels
