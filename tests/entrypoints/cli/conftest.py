"""Fixtures of the command line's tests."""

import os
from pathlib import Path

import pytest

from tests.entrypoints.cli.runner import Cli


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Return the command line in an empty folder, out of reach of the user's files."""
    for name in list(os.environ):
        if name.startswith("FACECV_"):
            monkeypatch.delenv(name)
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.chdir(tmp_path)
    return Cli(tmp_path)
