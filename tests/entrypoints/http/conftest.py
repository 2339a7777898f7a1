"""Fixtures of the HTTP service's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.entrypoints.http.served import Client, open_client


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """Return a client of a server over the small world, without keys."""
    with open_client(tmp_path) as client:
        yield client
