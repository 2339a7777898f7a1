"""SHA-256 digests: remembered for files that have not changed, and recorded at first sight."""

import hashlib
import json
import threading
from pathlib import Path

import attrs
import structlog

from facecv.adapters.model_stores.files import write_json, writing
from facecv.core.errors import IntegrityError


def file_digest(path: Path, /) -> str:
    """Return the SHA-256 of a file, hexadecimal; raise `OSError` if it cannot be read."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


@attrs.define
class DigestCache:
    """Remembers digests by path, size, time of change and inode; 174 MB take a while to hash.

    Args:
        file: a JSON file; where it cannot be written, digests are remembered in memory only.
    """

    file: Path
    _known: dict[str, list[object]] | None = attrs.field(init=False, default=None)
    _lock: threading.Lock = attrs.field(init=False, factory=threading.Lock)

    def sha256(self, path: Path, *, fresh: bool = False) -> str:
        """Return the digest of a file; `fresh` reads it even if it seems not to have changed.

        Raises:
            OSError: the file cannot be read.
        """
        key = str(path.absolute())
        status = path.stat()
        stamp = [status.st_size, status.st_mtime_ns, status.st_ino]
        with self._lock:
            entry = self._entries().get(key)
        if entry and entry[:3] == stamp and not fresh:
            return str(entry[3])
        digest = file_digest(path)
        if entry != [*stamp, digest]:
            self._remember(key, [*stamp, digest])
        return digest

    def _entries(self) -> dict[str, list[object]]:
        if self._known is None:
            self._known = _read_entries(self.file)
        return self._known

    def _remember(self, key: str, entry: list[object]) -> None:
        with self._lock:
            # Another process may have added to the file; an entry lost to a race is hashed anew.
            entries = {**_read_entries(self.file), **self._entries(), key: entry}
            self._known = {path: kept for path, kept in entries.items() if Path(path).exists()}
            try:
                write_json(self.file, self._known)
            except OSError as error:
                structlog.get_logger().debug(
                    "digests not kept", file=str(self.file), why=str(error)
                )


def _read_entries(file: Path) -> dict[str, list[object]]:
    """Return the entries of a cache file; a damaged one is an empty one."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {
        path: entry
        for path, entry in content.items()
        if isinstance(entry, list) and len(entry) == 4
    }


@attrs.frozen
class DigestRecord:
    """Digests of files whose manifest gives none, as they were when they first came.

    Args:
        file: a JSON file in the folder of the pack.
    """

    file: Path

    def get(self, name: str) -> str:
        """Return the digest recorded for the file `name` of the pack; empty if none is.

        Raises:
            IntegrityError: the record is damaged.
        """
        return self._read().get(name, "")

    def add(self, name: str, digest: str) -> None:
        """Record the digest of the file `name`; raises as `get`, or `ModelError` if it cannot."""
        with writing(self.file):
            write_json(self.file, {**self._read(), name: digest})

    def _read(self) -> dict[str, str]:
        try:
            content = json.loads(self.file.read_text(encoding="utf-8"))
            return {str(name): str(digest) for name, digest in content.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError) as error:
            raise IntegrityError(
                f"the record of digests {self.file} cannot be read",
                hint="remove the pack and pull it again",
            ) from error
