"""Port: where model files come from."""

from pathlib import Path
from typing import Literal, Protocol

import attrs

from facecv.core.pack import ModelFile, PackManifest, Progress

FileState = Literal["ok", "missing", "damaged", "unverified"]


@attrs.frozen
class FileStatus:
    """The state of one file of a pack.

    Attributes:
        model: name of the model.
        path: where the file is, or would be.
        state: ``unverified`` means that no digest is known to check against.
        detail: what is wrong with it, in words.
    """

    model: str
    path: Path
    state: FileState
    detail: str = ""


class ModelStore(Protocol):
    """Keeps model packs on disk."""

    def resolve(self, pack: PackManifest, model: str, /) -> ModelFile:
        """Return a model of a pack; never touches the network.

        Raises:
            ModelNotFoundError: it is not here; the hint says how to get it.
            IntegrityError: the file is not the one that the manifest describes.
        """
        ...

    def pull(self, pack: PackManifest, progress: Progress | None = None, /) -> list[ModelFile]:
        """Return all models of a pack, downloading what is missing or damaged.

        Raises:
            DownloadError: a file cannot be had.
            IntegrityError: what came is not what the manifest describes; good files are kept.
        """
        ...

    def add(self, pack: PackManifest, source: Path, /) -> list[ModelFile]:
        """Take the models of a pack from a folder or a zip file; return those that were found."""
        ...

    def verify(self, pack: PackManifest, /) -> list[FileStatus]:
        """Return the state of every file of a pack, each read and hashed."""
        ...

    def remove(self, pack: PackManifest, /) -> int:
        """Delete the files of a pack; return how many bytes that freed."""
        ...

    def path(self, pack: PackManifest, /) -> Path:
        """Return the folder of a pack, whether or not it exists."""
        ...

    def digest(self, path: Path, /) -> str:
        """Return the SHA-256 of a file, which is remembered as long as the file is unchanged.

        Raises:
            ModelError: the file cannot be read.
        """
        ...
