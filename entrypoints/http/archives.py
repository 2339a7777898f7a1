"""Pictures in a zip file, as a batch may carry them. Nothing is ever written to disk."""

import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence

from facecv.core.errors import FaceCVError, ImageDecodeError, ImageTooLargeError, InputError
from facecv.entrypoints.http.bodies import Picture
from facecv.entrypoints.server_config import LimitsConfig

Item = Picture | FaceCVError
"""A picture of a batch, or why it cannot be had."""

_MAGIC = b"PK\x03\x04"


def unpacked(pictures: Sequence[Picture], limits: LimitsConfig) -> list[Item]:
    """Return the pictures with those of zip files in the place of these, in their order.

    Raises:
        InputError: a zip file is damaged, or names a place outside of itself.
        ImageTooLargeError: there are too many pictures, or they unpack to too many bytes.
    """
    items: list[Item] = []
    room = limits.batch_bytes
    for picture in pictures:
        found = _members(picture, limits, room) if is_zip(picture) else iter([picture])
        for item in found:
            items.append(item)
            room -= len(item.source) if isinstance(item, Picture) else 0
            if len(items) > limits.batch_images:
                raise ImageTooLargeError(f"more than {limits.batch_images} pictures in one batch")
            if room < 0:
                raise ImageTooLargeError(f"more than {limits.batch_bytes} bytes in one batch")
    return items


def is_zip(picture: Picture) -> bool:
    """Return whether a file is a zip file, by its content."""
    return isinstance(picture.source, bytes) and picture.source.startswith(_MAGIC)


def _members(archive: Picture, limits: LimitsConfig, room: int) -> Iterator[Item]:
    """Yield the files of a zip file, each read no further than a picture may be large."""
    content = archive.source if isinstance(archive.source, bytes) else b""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            files = [info for info in opened.infolist() if not info.is_dir()]
            if len(files) > limits.batch_images:
                raise ImageTooLargeError(f"more than {limits.batch_images} pictures in one batch")
            for info in files:
                _check_name(info.filename)
                yield _member(opened, info, min(limits.image_bytes, room))
    except zipfile.BadZipFile as error:
        raise InputError(f"{archive.name} is a damaged zip file: {error}") from error


def _member(opened: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> Item:
    name = info.filename
    try:
        with opened.open(info) as file:
            content = file.read(most + 1)  # whatever size the archive claims
    except (RuntimeError, NotImplementedError, OSError, zipfile.BadZipFile, zlib.error) as error:
        return ImageDecodeError(f"{name} cannot be unpacked: {error}")
    if len(content) > most:
        return ImageTooLargeError(f"{name}: more than {most} bytes", details={"limit": most})
    return Picture(content, name)


def _check_name(name: str) -> None:
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
        raise InputError(f"{name!r} in the zip file leads outside of it")
