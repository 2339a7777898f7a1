"""The folder of one pack: what is in it, whether it is right, and how a file gets into place."""

from pathlib import Path

import attrs

from facecv.adapters.model_stores.digests import DigestCache, DigestRecord, file_digest
from facecv.adapters.model_stores.files import writing
from facecv.core.errors import IntegrityError, ModelError, ModelNotFoundError
from facecv.core.pack import ModelFile, ModelSpec, PackManifest
from facecv.core.ports.model_store import FileStatus


@attrs.frozen
class PackFolder:
    """A pack and the folder of its files.

    Args:
        pack: the manifest.
        path: the folder; need not exist.
        digests: remembers digests of files.
    """

    pack: PackManifest
    path: Path
    digests: DigestCache

    def resolve(self, spec: ModelSpec) -> ModelFile:
        """Return a model; raise `ModelNotFoundError` or `IntegrityError` unless it is right."""
        path = self.path / spec.file
        if not path.is_file():
            raise ModelNotFoundError(
                f"{spec.file} of the pack {self.pack.name!r} is not here: {path}",
                hint=self._hint("get it"),
                details={"pack": self.pack.name, "model": spec.name},
            )
        problem = self._problem(spec, path)
        if problem:
            raise IntegrityError(problem, hint=self._hint("get the right one"))
        return ModelFile(path, self.sha256(path), spec, self.pack.name)

    def status(self, spec: ModelSpec) -> FileStatus:
        """Return the state of a file, which is read and hashed."""
        path = self.path / spec.file
        if not path.is_file():
            return FileStatus(spec.name, path, "missing")
        self.sha256(path, fresh=True)
        problem = self._problem(spec, path)
        if problem:
            return FileStatus(spec.name, path, "damaged", problem)
        if not self.expected(spec):
            return FileStatus(spec.name, path, "unverified", "no digest of it is known")
        return FileStatus(spec.name, path, "ok")

    def wanted(self) -> list[ModelSpec]:
        """Return the models whose files are missing or damaged."""
        return [spec for spec in self.pack.models if not self._is_right(spec)]

    def expected(self, spec: ModelSpec) -> str:
        """Return the digest a file must have: published, or recorded; empty if none is known."""
        return spec.sha256 or ("" if self.pack.root else self._record.get(spec.file))

    def arrival(self, spec: ModelSpec) -> Path:
        """Return where a file may be written before it is known to be right."""
        target = self.path / spec.file
        with writing(target.parent):
            target.parent.mkdir(parents=True, exist_ok=True)
        return target.with_name(target.name + ".new")

    def install(self, spec: ModelSpec, arrived: Path) -> None:
        """Move a file into place; its digest is recorded if none is known.

        Raises:
            IntegrityError: it is not the right one; it is deleted, the file in place stays.
        """
        digest = file_digest(arrived)
        problem = mismatch(arrived, attrs.evolve(spec, sha256=self.expected(spec)), digest)
        if problem:
            arrived.unlink()
            problem = problem.replace(str(arrived), f"the new {spec.file}")
            raise IntegrityError(problem, hint="it was changed, or is of another version")
        if not self.expected(spec):
            self._record.add(spec.file, digest)
        with writing(self.path / spec.file):
            arrived.replace(self.path / spec.file)

    def sha256(self, path: Path, *, fresh: bool = False) -> str:
        """Return the digest of a file; raise `ModelError` if it cannot be read."""
        try:
            return self.digests.sha256(path, fresh=fresh)
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror or error}") from error

    @property
    def _record(self) -> DigestRecord:
        return DigestRecord(self.path / "digests.json")

    def _is_right(self, spec: ModelSpec) -> bool:
        path = self.path / spec.file
        return path.is_file() and not self._problem(spec, path)

    def _problem(self, spec: ModelSpec, path: Path) -> str:
        expected = self.expected(spec)
        digest = self.sha256(path) if expected else ""
        return mismatch(path, attrs.evolve(spec, sha256=expected), digest)

    def _hint(self, purpose: str) -> str:
        if self.pack.root:
            return f"put the file into {self.pack.root}, or use another pack"
        return f"`facecv models pull {self.pack.name}` to {purpose}"


def mismatch(path: Path, spec: ModelSpec, digest: str) -> str:
    """Return in words how the file at `path` differs from `spec`; empty if it does not."""
    size = path.stat().st_size
    if spec.size and size != spec.size:
        return f"{path} has {size} bytes, expected {spec.size}"
    if spec.sha256 not in {"", digest}:
        return f"{path} has the SHA-256 {digest}, expected {spec.sha256}"
    return ""
