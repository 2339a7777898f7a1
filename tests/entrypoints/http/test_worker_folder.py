"""The folder that the workers of a server share while it runs."""

import os
import stat
from pathlib import Path

import attrs
import pytest

from facecv.core.errors import ConfigurationError
from facecv.entrypoints.http.server import AppFactory, serve
from facecv.entrypoints.http.worker_folder import together
from facecv.entrypoints.http.worker_group import Worker
from tests.entrypoints.http.served import config_in

METRICS = "PROMETHEUS_MULTIPROC_DIR"


def test_it_is_private_and_goes_with_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers that are started meanwhile find where to count; afterwards all is as before."""
    monkeypatch.setenv(METRICS, "mine")
    with together(tmp_path / "state") as group:
        assert stat.S_IMODE(group.folder.stat().st_mode) == 0o700
        assert os.environ[METRICS] == str(group.metrics)
        assert group.metrics.is_dir()
        assert group.secret not in repr(group)
    assert not group.folder.exists()
    assert os.environ[METRICS] == "mine"


def test_what_a_killed_server_left_is_cleared_away(tmp_path: Path) -> None:
    """But not what another server uses, nor what workers use that outlived their parent."""
    left, orphaned = tmp_path / "server-left", tmp_path / "server-orphaned"
    for folder in (left, orphaned):
        folder.mkdir()
        (folder / "parent.lock").touch()
    with together(tmp_path) as one:
        assert not left.exists()
        orphaned.mkdir(exist_ok=True)
        (orphaned / "parent.lock").touch()
        with (
            attrs.evolve(one, folder=orphaned).joined(Worker("1" * 8, 1, 2)),
            together(tmp_path) as other,
        ):
            assert one.folder.exists()
            assert orphaned.exists()
            assert other.folder != one.folder
    with together(tmp_path):
        assert not orphaned.exists()


def test_where_it_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(ConfigurationError, match="cannot be written"),
        together(tmp_path / "file" / "state"),
    ):
        pass


def test_a_gallery_in_memory_is_for_one_worker(tmp_path: Path) -> None:
    """Each would have one of its own."""
    config = config_in(tmp_path, {"workers": 2}, {"gallery": "memory"})
    with pytest.raises(ConfigurationError, match="in memory"):
        serve(AppFactory(config), config)
