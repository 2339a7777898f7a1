"""From what stands on the command line to pictures."""

import glob
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import rich_click as click

from facecv.core.errors import ImageNotFoundError
from facecv.core.urls import redacted
from facecv.entrypoints.cli import output

if TYPE_CHECKING:
    from facecv.core.image import Image
    from facecv.entrypoints.api import Engine

STDIN = "-"
SUFFIXES = frozenset(
    [
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"),
        *(".heic", ".heif", ".avif"),
    ]
)
"""Files of a folder that are taken for pictures; a file that is named is always tried."""


@attrs.frozen
class Source:
    """A picture that was named on the command line.

    Attributes:
        name: as people will know it again.
        location: where to read it from.
    """

    name: str
    location: str | Path

    def read(self, engine: "Engine") -> "Image":
        """Return the picture, called by its name here; raises what the decoder raises."""
        content = sys.stdin.buffer.read() if self.location == STDIN else self.location
        return engine.read(content).named(self.name)


def find_sources(given: Sequence[str]) -> list[Source]:
    """Return the pictures meant by paths, globs, folders, URLs and ``-``, in order.

    Raises:
        UsageError: the standard input is named twice.
        ImageNotFoundError: a folder or glob holds no picture.
    """
    if list(given).count(STDIN) > 1:
        raise click.UsageError("the standard input can be read once only")
    return [source for text in given for source in _sources(text)]


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures of a folder and its subfolders, by name; warn of what is unreadable."""
    walk = os.walk(folder, onerror=_warn)
    files = (Path(place, name) for place, _, names in walk for name in names)
    return sorted(file for file in files if is_picture(file))


def is_picture(path: Path) -> bool:
    """Return whether a file looks like a picture, by its name."""
    hidden = path.name.startswith(".")
    return path.suffix.lower() in SUFFIXES and not hidden and _is(path.is_file)


def _sources(text: str) -> Iterator[Source]:
    if text == STDIN:
        yield Source("stdin", STDIN)
    elif text.startswith(("http://", "https://")):
        yield Source(redacted(text), text)
    elif text.startswith("data:"):
        yield Source(text.partition(",")[0], text)
    else:
        yield from (Source(str(path), path) for path in _paths(text))


def _paths(text: str) -> Sequence[Path]:
    """Return the files that a path, folder or glob stands for."""
    path = Path(text)
    if _is(path.is_dir):
        found = pictures_in(path)
        if not found:
            raise ImageNotFoundError(f"the folder {text} holds no picture")
        return found
    if _is(path.exists) or not glob.has_magic(text):
        return [path]
    matches = sorted(map(Path, glob.glob(text, recursive=True)))  # noqa: PTH207 - may be absolute
    files = [file for match in matches for file in _files(match)]
    if not files:
        raise ImageNotFoundError(f"no file matches {text}")
    return files


def _files(path: Path) -> list[Path]:
    return pictures_in(path) if _is(path.is_dir) else [path]


def _is(asked: Callable[[], bool]) -> bool:
    """Return what a path answers; False where it may not be asked, which opening it will tell."""
    try:
        return asked()
    except PermissionError:
        return False


def _warn(error: OSError) -> None:
    output.warn(f"{error.filename} cannot be read: {error.strerror}")
