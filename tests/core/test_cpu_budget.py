"""Cores that a process may use."""

from pathlib import Path

import pytest

from facecv.core import cpu_budget
from facecv.core.cpu_budget import available_cores


@pytest.fixture(autouse=True)
def _sixteen_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_budget, "_affinity", lambda: 16)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_without_control_groups_it_is_the_affinity(tmp_path: Path) -> None:
    """Nothing else bounds the process."""
    assert available_cores(tmp_path) == 16


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("max 100000", 16), ("400000 100000", 4), ("250000 100000", 2), ("50000 100000", 1)],
)
def test_version_2(tmp_path: Path, quota: str, cores: int) -> None:
    """Whole cores, at least one."""
    write(tmp_path / "proc/self/cgroup", "0::/app\n")
    write(tmp_path / "sys/fs/cgroup/app/cpu.max", quota)
    assert available_cores(tmp_path) == cores


def test_the_group_around_bounds_too(tmp_path: Path) -> None:
    """The tightest of all groups on the way up counts."""
    write(tmp_path / "proc/self/cgroup", "0::/slice/app\n")
    write(tmp_path / "sys/fs/cgroup/slice/app/cpu.max", "800000 100000")
    write(tmp_path / "sys/fs/cgroup/slice/cpu.max", "300000 100000")
    assert available_cores(tmp_path) == 3


def test_inside_a_container_the_path_may_not_exist(tmp_path: Path) -> None:
    """Then the mount itself is the group."""
    write(tmp_path / "proc/self/cgroup", "0::/docker/abc\n")
    write(tmp_path / "sys/fs/cgroup/cpu.max", "200000 100000")
    assert available_cores(tmp_path) == 2


@pytest.mark.parametrize("mount", ["cpu,cpuacct", "cpu"])
def test_version_1(tmp_path: Path, mount: str) -> None:
    """Quota over period, -1 being no limit."""
    write(tmp_path / "proc/self/cgroup", "5:memory:/a\n4:cpu,cpuacct:/a\n")
    write(tmp_path / f"sys/fs/cgroup/{mount}/a/cpu.cfs_quota_us", "300000\n")
    write(tmp_path / f"sys/fs/cgroup/{mount}/a/cpu.cfs_period_us", "100000\n")
    write(tmp_path / f"sys/fs/cgroup/{mount}/cpu.cfs_quota_us", "-1\n")
    write(tmp_path / f"sys/fs/cgroup/{mount}/cpu.cfs_period_us", "100000\n")
    assert available_cores(tmp_path) == 3
