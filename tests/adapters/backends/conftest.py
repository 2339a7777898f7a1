"""Fixtures of the backends' tests."""

from pathlib import Path

import pytest

from facecv.core.pack import ModelFile
from tests import graphs


@pytest.fixture
def model(tmp_path: Path) -> ModelFile:
    """Return a network that doubles its input."""
    return graphs.doubler(tmp_path)
