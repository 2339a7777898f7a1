"""An image decoder that knows one format: numpy's."""

import io
from pathlib import Path

import numpy as np

from facecv.core.arrays import Pixels
from facecv.core.errors import ImageDecodeError, ImageNotFoundError
from facecv.core.image import Image, ImageSource


class FakeImageDecoder:
    """Takes arrays, ``.npy`` files, their content, and named pictures.

    ``FakeImageDecoder({"ada.jpg": pixels}).decode("ada.jpg")``
    """

    def __init__(self, pictures: dict[str, Pixels] | None = None) -> None:
        self.pictures = pictures or {}

    def decode(self, source: ImageSource, side: int = 0, /) -> Image:
        if isinstance(source, np.ndarray):
            return Image(_bgr(source))
        if isinstance(source, str | Path):
            return self._named(str(source))
        return Image(_content(bytes(source), "bytes"))

    def _named(self, name: str) -> Image:
        if name in self.pictures:
            return Image(self.pictures[name], name)
        if not Path(name).is_file():
            raise ImageNotFoundError(f"there is no file {name!r}")
        return Image(_content(Path(name).read_bytes(), name), name)


def _bgr(array: Pixels) -> Pixels:
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in {1, 3} or array.size == 0:
        raise ImageDecodeError(f"no picture: {array.shape}")
    return array if array.shape[2] == 3 else np.repeat(array, 3, axis=2)


def _content(data: bytes, name: str) -> Pixels:
    try:
        return np.asarray(np.load(io.BytesIO(data)), dtype=np.uint8)
    except (ValueError, EOFError) as error:
        raise ImageDecodeError(f"{name} is no picture") from error
