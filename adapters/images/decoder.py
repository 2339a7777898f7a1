"""Pictures from paths, URLs, text, bytes and arrays: JPEG by libjpeg-turbo, the rest by Pillow."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Transpose
from PIL.ImageFile import ImageFile

from facecv.adapters.images.addresses import UrlPolicy
from facecv.adapters.images.convert import from_array, from_pillow
from facecv.adapters.images.fetch import UrlFetcher
from facecv.adapters.images.formats import open_picture
from facecv.adapters.images.jpeg import is_damaged
from facecv.adapters.images.text import from_base64, from_data_uri
from facecv.adapters.images.turbo import TurboJpeg
from facecv.core.arrays import Pixels
from facecv.core.errors import (
    FaceCVError,
    ImageDecodeError,
    ImageFetchError,
    ImageNotFoundError,
    ImageTooLargeError,
)
from facecv.core.image import Deferred, Image, ImageLimits, ImageSource
from facecv.core.urls import redacted

_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
"""What turns a picture of an EXIF orientation upright."""


class PillowDecoder:
    """Decodes JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF and, with the extra ``heif``, HEIC.

    Text is a URL if it starts with http:// or https://, a data URI if it starts with data:, the
    path of a file if there is such a file, and base64 if it decodes to a known format. Of
    animations and documents with several pages, the first picture counts. Colour profiles are
    ignored, as in OpenCV.

    A large JPEG is decoded at a quarter or an eighth of its size where that suffices at first.
    """

    def __init__(
        self,
        limits: ImageLimits | None = None,
        *,
        urls: bool = True,
        timeout: float = 20.0,
        policy: UrlPolicy | None = None,
    ) -> None:
        """Make a decoder.

        Args:
            limits: the most bytes and pixels to accept.
            urls: whether http(s) URLs are fetched.
            timeout: seconds to wait for a URL.
            policy: which URLs may be asked for; None: all.
        """
        self._limits = limits or ImageLimits()
        policy = policy or UrlPolicy()
        self._fetcher = UrlFetcher(self._limits.max_bytes, timeout, policy) if urls else None

    def decode(self, source: ImageSource, side: int = 0, /) -> Image:
        """Return the picture, upright, as uint8 BGR; see `ImageDecoder.decode`."""
        if isinstance(source, np.ndarray):
            return self._decode_array(source)
        if isinstance(source, str):
            return self._decode_text(source, side)
        if isinstance(source, Path):
            return self._decode_file(source, side)
        if isinstance(source, bytes | bytearray | memoryview):
            return self._decode_bytes(bytes(source), "", side)
        raise ImageDecodeError(
            f"a {type(source).__name__} is not a picture",
            hint="a path, URL, base64 text, bytes or a numpy array is",
        )

    def _decode_array(self, array: NDArray[Any]) -> Image:
        if array.ndim > 1:
            self._check_size(array.shape[1], array.shape[0])
        return Image(from_array(array))

    def _decode_text(self, text: str, side: int) -> Image:
        scheme = text[:8].lower()
        if scheme.startswith(("http://", "https://")):
            return self._decode_bytes(self._fetch(text), redacted(text), side)
        if scheme.startswith("data:"):
            return self._decode_bytes(from_data_uri(text), "data URI", side)
        if _exists(text):
            return self._decode_file(Path(text), side)
        data = from_base64(text)
        if data is None:
            raise ImageNotFoundError(f"there is no file {_shortened(text)!r}")
        return self._decode_bytes(data, "base64 text", side)

    def _fetch(self, url: str) -> bytes:
        if self._fetcher is None:
            raise ImageFetchError(f"{redacted(url)} is not fetched: URLs are switched off")
        return self._fetcher.fetch(url)

    def _decode_file(self, path: Path, side: int) -> Image:
        try:
            with path.open("rb") as file:
                data = file.read(self._limits.max_bytes + 1)
        except FileNotFoundError as error:
            raise ImageNotFoundError(f"there is no file {_shortened(str(path))!r}") from error
        except IsADirectoryError as error:
            raise ImageNotFoundError(f"{str(path)!r} is a folder, not a picture") from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ImageNotFoundError(
                f"{_shortened(str(path))!r} cannot be read: {reason}"
            ) from error
        return self._decode_bytes(data, str(path), side)

    def _decode_bytes(self, data: bytes, source: str, side: int) -> Image:
        where = f"{source}: " if source else ""
        if len(data) > self._limits.max_bytes:
            raise ImageTooLargeError(
                f"{where}more than {self._limits.max_bytes} bytes", hint="raise max_bytes"
            )
        if not data:
            raise ImageDecodeError(f"{where}the picture is empty")
        try:
            return Image(self._content(data, side), source)
        except FaceCVError as error:
            raise type(error)(where + error.message, hint=error.hint) from error.__cause__

    def _content(self, data: bytes, side: int) -> Pixels | Deferred:
        name, picture = open_picture(data)
        with picture:
            self._check_size(*picture.size)
            if name == "jpeg" and picture.mode in {"RGB", "L"}:
                content = TurboJpeg(data, *picture.size, _orientation(picture)).content(side)
                if content is not None:
                    return content
            if name == "jpeg" and is_damaged(data):  # libjpeg-turbo notices by itself
                raise ImageDecodeError("this JPEG file is damaged")
            return _loaded(name, picture)

    def _check_size(self, width: int, height: int) -> None:
        if width * height > self._limits.max_pixels:
            raise ImageTooLargeError(
                f"{width} x {height} are more than {self._limits.max_pixels} pixels",
                hint="raise max_pixels",
            )


def _loaded(name: str, picture: ImageFile) -> Pixels:
    """Return the pixels as Pillow decodes them, upright."""
    try:
        picture.load()
        operation = _UPRIGHT.get(_orientation(picture))
        return from_pillow(picture if operation is None else picture.transpose(operation))
    except FaceCVError:
        raise
    except Exception as error:
        raise ImageDecodeError(f"this {name.upper()} file is damaged") from error


def _orientation(picture: ImageFile) -> int:
    """Return the EXIF orientation; damaged metadata is no reason to refuse a picture."""
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001  parsers of damaged metadata raise many things
        return 1


def _exists(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):  # too long, or with a zero byte: no path
        return False


def _shortened(text: str) -> str:
    return text if len(text) <= 200 else text[:80] + "…"
