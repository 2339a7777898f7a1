"""Downloading what a pack lacks, from where its manifest says or from a mirror."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import attrs

from facecv.adapters.model_stores import imports
from facecv.adapters.model_stores.digests import file_digest
from facecv.adapters.model_stores.files import writing
from facecv.adapters.model_stores.http_download import Downloader, Target, is_absent
from facecv.adapters.model_stores.pack_folder import PackFolder
from facecv.core.errors import DownloadError, IntegrityError
from facecv.core.pack import ArchiveSpec, ModelSpec, Progress


@attrs.frozen
class Pull:
    """One pull of one pack.

    Args:
        folder: the pack's folder.
        downloader: fetches files.
        mirror: base URL to ask instead of the published addresses; empty: none.
        progress: is told about every download.
    """

    folder: PackFolder
    downloader: Downloader
    mirror: str
    progress: Progress

    def run(self, wanted: Sequence[ModelSpec]) -> None:
        """Download the `wanted` models.

        Raises:
            DownloadError: one cannot be had.
            IntegrityError: what came is not what the manifest describes.
        """
        archived = [model for model in wanted if not model.url]
        taken = self._take_archive(archived) if archived else False
        for model in wanted:
            if model.url or not taken:
                self._take_file(model)

    def _take_archive(self, models: Sequence[ModelSpec]) -> bool:
        """Take `models` from the pack's archive; return False if there is none to be had."""
        archive = self.folder.pack.archive
        if not archive:
            return False
        name = PurePosixPath(archive.url).name
        path = self.folder.path / name
        try:
            self._fetch(self._urls(name, archive.url), path, archive)
        except DownloadError as error:
            if self.mirror and is_absent(error):
                return False  # a mirror may hold the files one by one
            raise
        try:
            taken = imports.take(self.folder, models, path)
        finally:
            path.unlink(missing_ok=True)
        lacking = ", ".join(model.file for model in models if model not in taken)
        if lacking:
            raise IntegrityError(f"the archive {name} lacks {lacking}")
        return True

    def _take_file(self, spec: ModelSpec) -> None:
        if not spec.url and not self.mirror:
            raise DownloadError(
                f"nothing says where {spec.file} of {self.folder.pack.name!r} can be had",
                hint="`facecv models import` takes it from a folder or a zip file",
            )
        arrived = self.folder.arrival(spec)
        expected = ArchiveSpec(spec.url, self.folder.expected(spec), spec.size)
        self._fetch(self._urls(spec.file, spec.url), arrived, expected)
        self.folder.install(spec, arrived)

    def _urls(self, file: str, published: str) -> tuple[str, ...]:
        if not self.mirror:
            return (published,)
        base = self.mirror.rstrip("/")
        return f"{base}/{self.folder.pack.name}/{file}", f"{base}/{PurePosixPath(file).name}"

    def _fetch(self, urls: tuple[str, ...], arrived: Path, expected: ArchiveSpec) -> None:
        """Download to `arrived`, which is made only if it is what was `expected`."""
        if expected.sha256 and arrived.is_file() and not _problem(arrived, expected):
            return  # an earlier run ended after the download
        name = arrived.name.removesuffix(".new")
        part = arrived.with_name(name + ".part")
        target = Target(name, part, expected.size, checked=bool(expected.sha256))
        resumed = self.downloader.fetch(urls, target, self.progress)
        problem = _problem(target.part, expected)
        if problem and resumed:  # the earlier bytes may have been of another version
            target.discard()
            self.downloader.fetch(urls, target, self.progress)
            problem = _problem(target.part, expected)
        if problem:
            target.discard()
            raise IntegrityError(
                problem, hint="try again; if it stays so, the file was changed at its source"
            )
        with writing(arrived):
            target.part.replace(arrived)
            target.discard()


def _problem(path: Path, expected: ArchiveSpec) -> str:
    """Return in words what is wrong with a finished download; empty if nothing is."""
    name, size = path.name.removesuffix(".part"), path.stat().st_size
    if expected.size and size != expected.size:
        return f"the download of {name} has {size} bytes, expected {expected.size}"
    digest = file_digest(path) if expected.sha256 else ""
    if digest != expected.sha256:
        return f"the download of {name} has the SHA-256 {digest}, expected {expected.sha256}"
    return ""
