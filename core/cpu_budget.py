"""How many cores this process may use: affinity and control groups, not what the machine has."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath


def available_cores(root: Path = Path("/")) -> int:
    """Return the whole cores that this process may keep busy, at least one.

    The least of the scheduler's affinity mask and the CPU quotas of the control groups (version 1
    and 2) that the process is in; a quota of 2.5 cores counts as two.

    Args:
        root: where ``proc`` and ``sys`` are found.
    """
    cores = float(_affinity())
    return max(1, int(min([cores, *_quotas(root)])))


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas(root: Path) -> Iterator[float]:
    """Yield every CPU quota, in cores, that bounds this process."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from _walk(root / "sys/fs/cgroup", path, _quota_v2)
        elif "cpu" in controllers.split(","):
            yield from _walk(root / "sys/fs/cgroup" / controllers, path, _quota_v1)
            yield from _walk(root / "sys/fs/cgroup/cpu", path, _quota_v1)


def _walk(mount: Path, path: str, quota: Callable[[Path], float | None]) -> Iterator[float]:
    """Yield the quotas of a group and of all groups around it."""
    group = PurePosixPath(path.lstrip("/"))
    for folder in (group, *group.parents):
        cores = quota(mount / folder)
        if cores is not None:
            yield cores


def _quota_v2(folder: Path) -> float | None:
    quota, _, period = _read(folder / "cpu.max").strip().partition(" ")
    return _ratio(quota, period or "100000")


def _quota_v1(folder: Path) -> float | None:
    return _ratio(_read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us"))


def _ratio(quota: str, period: str) -> float | None:
    """Return quota over period; None where there is no limit (``max``, -1, no such file)."""
    try:
        cores = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return None
    return cores if cores > 0 else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
