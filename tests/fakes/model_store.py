"""A model store that never downloads."""

import hashlib
import shutil
import zipfile
from pathlib import Path, PurePosixPath

import attrs

from facecv.core.errors import DownloadError, IntegrityError, ModelError, ModelNotFoundError
from facecv.core.pack import ModelFile, ModelSpec, PackManifest, Progress
from facecv.core.ports.model_store import FileStatus


@attrs.frozen
class FakeModelStore:
    """Keeps files in a folder: ``FakeModelStore(tmp_path)``; `add` fills it, `pull` cannot.

    It trusts what it has in memory: digests recorded at the first sight of a file are lost with it.
    """

    root: Path
    recorded: dict[Path, str] = attrs.field(factory=dict)

    def path(self, pack: PackManifest, /) -> Path:
        return pack.root or self.root / pack.name

    def digest(self, path: Path, /) -> str:
        try:
            return hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise ModelError(f"cannot read {path}") from error

    def resolve(self, pack: PackManifest, model: str, /) -> ModelFile:
        spec = pack.model(model)
        status = self._status(pack, spec)
        if status.state == "missing":
            raise ModelNotFoundError(f"{spec.file} of {pack.name} is not here", hint="add it")
        if status.state == "damaged":
            raise IntegrityError(status.detail)
        return ModelFile(status.path, self.digest(status.path), spec, pack.name)

    def pull(self, pack: PackManifest, progress: Progress | None = None, /) -> list[ModelFile]:
        try:
            return [self.resolve(pack, model.name) for model in pack.models]
        except ModelNotFoundError as error:
            raise DownloadError("a fake store does not download") from error

    def add(self, pack: PackManifest, source: Path, /) -> list[ModelFile]:
        if pack.root:
            raise ModelError("an embedded pack is used where it lies")
        found = _contents(source)
        taken = [model for model in pack.models if model.file in found]
        if not taken:
            raise ModelNotFoundError(f"nothing in {source}")
        for model in taken:
            self._keep(self.path(pack) / model.file, model.sha256, found[model.file])
        return [self.resolve(pack, model.name) for model in taken]

    def verify(self, pack: PackManifest, /) -> list[FileStatus]:
        return [self._status(pack, model) for model in pack.models]

    def remove(self, pack: PackManifest, /) -> int:
        if pack.root:
            raise ModelError("an embedded pack is used where it lies")
        freed = sum(file.stat().st_size for file in self.path(pack).glob("*"))
        shutil.rmtree(self.path(pack), ignore_errors=True)
        return freed

    def _keep(self, path: Path, expected: str, content: bytes) -> None:
        digest = hashlib.sha256(content).hexdigest()
        if expected not in {"", digest}:
            raise IntegrityError(f"{path.name} is {digest}, expected {expected}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.recorded[path] = digest

    def _status(self, pack: PackManifest, spec: ModelSpec) -> FileStatus:
        path = self.path(pack) / spec.file
        expected = spec.sha256 or self.recorded.get(path, "")
        if not path.is_file():
            return FileStatus(spec.name, path, "missing")
        if expected not in {"", self.digest(path)}:
            return FileStatus(spec.name, path, "damaged", f"{path} is not {expected}")
        return FileStatus(spec.name, path, "ok" if expected else "unverified")


def _contents(source: Path) -> dict[str, bytes]:
    """Return the files of a folder or archive by their last name."""
    if not source.is_file():
        return {file.name: file.read_bytes() for file in source.glob("*")}
    with zipfile.ZipFile(source) as archive:
        for name in archive.namelist():
            if ".." in name:
                raise ModelError(f"{name} leads outside")
        return {PurePosixPath(name).name: archive.read(name) for name in archive.namelist()}
