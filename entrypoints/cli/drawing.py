"""Annotated pictures on disk."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs

from facecv.core.errors import InputError
from facecv.entrypoints.cli.inputs import Source
from facecv.entrypoints.cli.output import write_file

if TYPE_CHECKING:
    from facecv.core.image import Image
    from facecv.core.ports.annotator import Label
    from facecv.entrypoints.api import Engine

_WRITABLE = frozenset([".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"])
_DEFAULT = ".jpg"


@attrs.define(eq=False)
class Drawing:
    """Writes annotated pictures.

    Attributes:
        engine: draws.
        target: a file, or the folder for all pictures.
        is_folder: which of the two.
    """

    engine: "Engine"
    target: Path
    is_folder: bool
    _taken: set[Path] = attrs.field(factory=set, init=False)

    def write(self, source: Source, image: "Image", labels: "Sequence[Label]") -> None:
        """Write one picture with `labels` on it.

        Raises:
            InputError: it cannot be written, or would replace the photo itself.
        """
        path = self._free(self.target / file_name(source)) if self.is_folder else self.target
        if isinstance(source.location, Path) and path.resolve() == source.location.resolve():
            raise InputError(
                f"drawing into {path} would replace the photo itself", hint="name another place"
            )
        pixels = self.engine.draw(image, labels)
        write_file(path, self.engine.parts.annotator.encode(pixels, path.suffix or _DEFAULT))

    def _free(self, path: Path) -> Path:
        """Return `path`, numbered if another picture of this run has it."""
        free, number = path, 2
        while free in self._taken:
            free = path.with_stem(f"{path.stem}-{number}")
            number += 1
        self._taken.add(free)
        return free


def drawing(engine: "Engine", target: Path | None, sources: Sequence[Source]) -> Drawing | None:
    """Return where annotated pictures go: many, or an existing folder, mean a folder."""
    if target is None:
        return None
    many = len(sources) > 1 or target.is_dir() or target.suffix.lower() not in _WRITABLE
    if many and target.is_file():
        raise InputError(f"{target} is a file, but several pictures are to be drawn")
    return Drawing(engine, target, many)


def file_name(source: Source) -> str:
    """Return what the annotated copy of a picture is called in a folder."""
    if isinstance(source.location, Path):
        name = source.location.name
    else:
        name = PurePosixPath(urlsplit(source.name).path).name
    path = Path(re.sub(r"[^\w.-]+", "_", name) or "picture")
    suffix = path.suffix if path.suffix.lower() in _WRITABLE else _DEFAULT
    return path.stem + suffix
