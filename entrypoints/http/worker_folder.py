"""The folder in which the workers of a server keep what they share while it runs."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from facecv.core.errors import ConfigurationError
from facecv.entrypoints.http.worker_group import WorkerGroup

_PREFIX = "server-"
_PARENT = "parent.lock"
_METRICS = "PROMETHEUS_MULTIPROC_DIR"
"""Where Prometheus's client keeps figures; it looks when it is imported, in each worker."""


@contextmanager
def together(state: Path | None) -> Iterator[WorkerGroup]:
    """Give workers a folder of their own while the context lasts; they are started in it.

    Args:
        state: where it is made; None: in the user's folder for such things.

    Raises:
        ConfigurationError: it cannot be made.
    """
    folder = _made(state or _default_folder())
    try:
        with FileLock(folder / _PARENT, thread_local=False).acquire(timeout=0):
            group = WorkerGroup(folder, secrets.token_hex(32))
            group.metrics.mkdir()
            with _set(_METRICS, str(group.metrics)):
                yield group
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _made(state: Path) -> Path:
    try:
        state.mkdir(parents=True, exist_ok=True)
        for left_behind in state.glob(f"{_PREFIX}*"):
            if not _is_used(left_behind):
                shutil.rmtree(left_behind, ignore_errors=True)
        return Path(tempfile.mkdtemp(dir=state, prefix=_PREFIX))  # of mode 0700
    except OSError as error:
        raise ConfigurationError(
            f"{state} cannot be written: {error.strerror}",
            hint="name another folder with server.state",
        ) from error


def _is_used(folder: Path) -> bool:
    """Return whether a process of the server lives to which a folder belongs."""
    locks = list(folder.glob("*.lock"))
    if not (folder / _PARENT).exists():
        return True  # it is being made
    for lock in locks:
        try:
            FileLock(lock, thread_local=False).acquire(timeout=0).lock.release()
        except Timeout:
            return True
    return False


@contextmanager
def _set(name: str, value: str) -> Iterator[None]:
    """Set a variable of the environment for processes that are started meanwhile."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
        if before is not None:
            os.environ[name] = before


def _default_folder() -> Path:
    import platformdirs  # noqa: PLC0415 - not needed where a folder is named

    return platformdirs.user_state_path("facecv")
