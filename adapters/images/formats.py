"""Telling picture formats apart and opening them with Pillow, without decoding yet.

Pillow's plugins are called directly: its global registry stays as the program has it, and its
warning about large pictures is left out because `ImageLimits` decides.
"""

import io
from collections.abc import Callable

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from PIL.ImageFile import ImageFile

from facecv.core.errors import ImageDecodeError

_MAGIC = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"BM", "bmp"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
)
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}

SNIFFED = 64
"""How many bytes from the beginning of a file `sniff` wants to see."""


def sniff(data: bytes) -> str | None:
    """Return the format that the first bytes of a file announce, such as ``jpeg``; None: none."""
    for magic, name in _MAGIC:
        if data.startswith(magic):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return _iso_media(data[:SNIFFED]) if data[4:8] == b"ftyp" else None


def _iso_media(head: bytes) -> str | None:
    length = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[i : i + 4] for i in range(16, length, 4))}
    if brands & {b"avif", b"avis"}:
        return "avif"
    return "heif" if brands & _HEIF_BRANDS else None


def open_picture(data: bytes) -> tuple[str, ImageFile]:
    """Return format and picture; the header is read, the pixels are not.

    Raises:
        ImageDecodeError: the format is not known, or the header is damaged.
    """
    name = sniff(data)
    if name is None:
        raise ImageDecodeError(
            "this is not a picture of a known format",
            hint="JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF and HEIC are known",
        )
    opener = _opener(name)
    try:
        return name, opener(io.BytesIO(data))
    except Exception as error:  # parsers of damaged files raise many things
        raise ImageDecodeError(f"the header of this {name.upper()} file is damaged") from error


def _opener(name: str) -> Callable[[io.BytesIO], ImageFile]:
    openers: dict[str, Callable[[io.BytesIO], ImageFile]] = {
        "jpeg": JpegImagePlugin.JpegImageFile,
        "png": PngImagePlugin.PngImageFile,
        "webp": WebPImagePlugin.WebPImageFile,
        "bmp": BmpImagePlugin.BmpImageFile,
        "tiff": TiffImagePlugin.TiffImageFile,
        "gif": GifImagePlugin.GifImageFile,
        "avif": AvifImagePlugin.AvifImageFile,
    }
    return openers.get(name) or _heif_opener()


def _heif_opener() -> Callable[[io.BytesIO], ImageFile]:
    try:
        from pillow_heif import HeifImageFile  # noqa: PLC0415  an extra: only where it is needed
    except ImportError as error:
        raise ImageDecodeError(
            "HEIC pictures need a package that is not installed",
            hint="pip install 'facecv[heif]'",
        ) from error
    opener: Callable[[io.BytesIO], ImageFile] = HeifImageFile
    return opener
