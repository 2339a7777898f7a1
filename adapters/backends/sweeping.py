"""Clearing a cache of files that nobody has used for long."""

import os
import time
from contextlib import suppress
from pathlib import Path

_DAY = 86_400.0


def mark_used(path: Path, now: float | None = None) -> None:
    """Note that a file is in use; at most once a day, and never an error."""
    moment = time.time() if now is None else now
    with suppress(OSError):
        if moment - path.stat().st_mtime > _DAY:
            os.utime(path, (moment, moment))


def sweep(
    folder: Path, suffix: str, *, days: float, keep: int, now: float | None = None
) -> list[str]:
    """Delete what was not used for long, and the oldest of too many; return the names.

    Beside the files themselves go their locks, and what a process that died left half-written. A
    file that cannot be deleted, as one that is open on Windows, stays.

    Args:
        folder: the cache.
        suffix: of its files, with the dot.
        days: after which an unused file goes.
        keep: the most files that stay.
        now: seconds since the epoch; None: the present.
    """
    moment = time.time() if now is None else now
    ages: list[tuple[float, Path]] = []
    for path in folder.glob(f"*{suffix}"):
        with suppress(OSError):
            ages.append((moment - path.stat().st_mtime, path))
    ages.sort(key=lambda found: found[0])
    old = [path for place, (age, path) in enumerate(ages) if place >= keep or age > days * _DAY]
    gone = [path.name for path in old if _delete(path)]
    for name in gone:
        _delete(folder / f"{name}.lock")
    _sweep_drafts(folder, moment)
    return gone


def _sweep_drafts(folder: Path, moment: float) -> None:
    """Delete files that are named after a process and were begun more than a day ago."""
    for path in folder.glob("*.*"):
        with suppress(OSError):
            if path.suffix[1:].isdigit() and moment - path.stat().st_mtime > _DAY:
                path.unlink()


def _delete(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True
