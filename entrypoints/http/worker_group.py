"""The worker processes of one server: who is there, and who does what only one may do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import msgspec
from filelock import FileLock, Timeout

from facecv.core.services.jobs import BOOT_DIGITS
from facecv.entrypoints.private_files import write_private

_ID = re.compile(f"[0-9a-f]{{{BOOT_DIGITS}}}")


class Worker(msgspec.Struct, frozen=True):
    """A process that serves.

    Attributes:
        id: the digits with which the ids of its jobs begin.
        pid: of the process.
        port: where other workers reach it, on this machine.
    """

    id: str
    pid: int
    port: int


@attrs.frozen
class WorkerGroup:
    """What the workers of a server know of one another; it can be sent to a process.

    Whoever is there holds a lock for as long as its process lives, however that ends.

    Attributes:
        folder: of this server alone; nobody else may read it.
        secret: shown by one worker to another.
    """

    folder: Path
    secret: str = attrs.field(repr=False)

    @property
    def metrics(self) -> Path:
        """Where the workers keep their figures for Prometheus."""
        return self.folder / "metrics"

    @property
    def rates(self) -> Path:
        """Where the workers count the requests of each key."""
        return self.folder / "rates"

    @contextmanager
    def joined(self, worker: Worker) -> Iterator[None]:
        """Let the others know of a worker while the context lasts."""
        with self._lock(worker.id).acquire(timeout=0):
            place = self._place(worker.id)
            write_private(place, msgspec.json.encode(worker))
            try:
                yield
            finally:
                place.unlink(missing_ok=True)

    def workers(self) -> list[Worker]:
        """Return who is there."""
        found = (self.worker(place.stem) for place in sorted(self.folder.glob("*.worker")))
        return [worker for worker in found if worker is not None]

    def worker(self, identity: str) -> Worker | None:
        """Return a worker; None if it is not there. Anybody's text may be asked for."""
        place = self._place(identity)
        if not _ID.fullmatch(identity) or not place.exists():
            return None
        try:
            with self._lock(identity).acquire(timeout=0):
                place.unlink(missing_ok=True)  # nobody holds the lock: it died
                return None
        except Timeout:
            pass
        try:
            return msgspec.json.decode(place.read_bytes(), type=Worker)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def take_on(self, task: str, identity: str) -> None:
        """Let all know that a worker does what only one may do."""
        write_private(self.folder / f"{task}.task", identity.encode())

    def holder(self, task: str) -> Worker | None:
        """Return who does what only one may do; None if nobody does."""
        try:
            identity = (self.folder / f"{task}.task").read_text()
        except FileNotFoundError:
            return None
        return self.worker(identity)

    def _place(self, identity: str) -> Path:
        return self.folder / f"{identity}.worker"

    def _lock(self, identity: str) -> FileLock:
        return FileLock(self.folder / f"{identity}.lock", thread_local=False)
