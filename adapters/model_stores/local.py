"""Model packs in a folder, filled by download or import.

The folder (the cache) has one folder a pack with the files of its manifest, ``digests.json`` where
the manifest gives no digest (recorded when the file first came, checked from then on, forgotten
with `remove`), and ``*.part`` files of downloads to go on with. Beside the packs lie
``.NAME.lock`` and ``.digests.json``, which remembers digests so that nothing is hashed twice.

A mirror is a folder on an HTTP server; the published addresses are not asked then. For an archive
it is asked for ``PACK/ARCHIVE.zip`` and ``ARCHIVE.zip``, for a single file (and if it has no
archive) for ``PACK/FILE`` and ``FILE``: the cache of another machine can be served as it is.
"""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import attrs
import filelock
import structlog

from facecv.adapters.model_stores import imports
from facecv.adapters.model_stores.digests import DigestCache
from facecv.adapters.model_stores.files import writing
from facecv.adapters.model_stores.http_download import Downloader
from facecv.adapters.model_stores.pack_folder import PackFolder
from facecv.adapters.model_stores.pulls import Pull
from facecv.core.errors import DownloadError, ModelError, ModelNotFoundError
from facecv.core.pack import ModelFile, ModelSpec, PackManifest, Progress
from facecv.core.ports.model_store import FileStatus


@attrs.frozen
class LocalModelStore:
    """Keeps model packs in a folder.

    Args:
        root: the folder; made when something is to be kept.
        mirror: base URL of a mirror; empty: files come from where their manifests say.
        offline: never download.
        downloader: how files are fetched.
    """

    root: Path
    mirror: str = ""
    offline: bool = False
    downloader: Downloader = attrs.field(factory=Downloader)
    _digests: DigestCache = attrs.field(
        init=False,
        default=attrs.Factory(
            lambda self: DigestCache(self.root / ".digests.json"), takes_self=True
        ),
    )

    def path(self, pack: PackManifest, /) -> Path:
        """Return the folder of a pack, whether or not it exists."""
        return pack.root or self.root / pack.name

    def digest(self, path: Path, /) -> str:
        """Return the SHA-256 of a file; raise `ModelError` if it cannot be read."""
        try:
            return self._digests.sha256(path)
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror or error}") from error

    def resolve(self, pack: PackManifest, model: str, /) -> ModelFile:
        """Return a model that is on disk.

        Raises:
            ModelNotFoundError: it is not here.
            IntegrityError: the file is not the one that the manifest describes.
        """
        return self._folder(pack).resolve(pack.model(model))

    def pull(self, pack: PackManifest, progress: Progress | None = None, /) -> list[ModelFile]:
        """Return all models of a pack, downloading what is missing or damaged.

        Raises:
            DownloadError: a file cannot be had; what came of it is kept, to go on from.
            IntegrityError: what came is not what the manifest describes; good files are kept.
            ModelError: the disk cannot take it, or the archive is not to be trusted.
        """
        folder = self._folder(pack)
        if pack.root is None and folder.wanted():
            with self._locked(pack):
                wanted = folder.wanted()  # another process may have been faster
                if wanted:
                    self._check_online(pack, wanted)
                    Pull(folder, self.downloader, self.mirror, progress or _silent).run(wanted)
        return [folder.resolve(model) for model in pack.models]

    def add(self, pack: PackManifest, source: Path, /) -> list[ModelFile]:
        """Take the models of a pack from a folder or a zip file; return those that were found.

        Raises:
            ModelNotFoundError: there is no `source`, or none of the pack's files in it.
            IntegrityError: a file is not the one that the manifest describes.
            ModelError: the pack is embedded, or the archive is not to be trusted.
        """
        _check_cached(pack)
        if not source.exists():
            raise ModelNotFoundError(f"there is no folder or archive {source}")
        folder = self._folder(pack)
        with self._locked(pack):
            taken = imports.take(folder, pack.models, source)
        if not taken:
            files = ", ".join(model.file for model in pack.models)
            raise ModelNotFoundError(
                f"{source} has no file of the pack {pack.name!r}", hint=f"it consists of {files}"
            )
        return [folder.resolve(model) for model in taken]

    def verify(self, pack: PackManifest, /) -> list[FileStatus]:
        """Return the state of every file, each read and hashed."""
        return [self._folder(pack).status(model) for model in pack.models]

    def remove(self, pack: PackManifest, /) -> int:
        """Delete the folder of a pack; return how many bytes that freed.

        Raises:
            ModelError: the pack lies outside of this folder, or its own cannot be deleted.
        """
        path = self.path(pack)
        if not path.is_relative_to(self.root):
            _check_cached(pack)
        if not path.exists():
            return 0
        with self._locked(pack), writing(path):
            freed = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
            shutil.rmtree(path)
        return freed

    def _folder(self, pack: PackManifest) -> PackFolder:
        return PackFolder(pack, self.path(pack), self._digests)

    def _check_online(self, pack: PackManifest, wanted: list[ModelSpec]) -> None:
        if self.offline:
            files = ", ".join(model.file for model in wanted)
            raise DownloadError(
                f"{files} of the pack {pack.name!r} would have to be downloaded, but the model "
                "store is offline",
                hint="set offline = false, or take the files from a folder or a zip file with "
                "`facecv models import`",
            )

    @contextlib.contextmanager
    def _locked(self, pack: PackManifest) -> Iterator[None]:
        """Keep other processes from changing the pack."""
        lock = filelock.FileLock(self.root / f".{pack.name}.lock")
        with writing(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout:
                structlog.get_logger().info("waiting for another process", pack=pack.name)
                lock.acquire()
        try:
            yield
        finally:
            lock.release()


def _check_cached(pack: PackManifest) -> None:
    if pack.root:
        raise ModelError(
            f"the files of the pack {pack.name!r} are not in the cache but in {pack.root}",
            hint="change that folder itself",
        )


def _silent(_: str, __: int, ___: int) -> None:
    """Show no progress."""
