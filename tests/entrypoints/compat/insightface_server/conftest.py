"""A server with the routes of InsightFace Server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from facecv.entrypoints.compat import insightface_server
from tests.entrypoints.compat.insightface_server.asking import SERVER, make
from tests.entrypoints.http.served import Client, open_client


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """Return a client of a server with the routes."""
    with open_client(tmp_path, SERVER, insightface_server) as client:
        client.headers["Accept"] = "application/json"
        yield client


@pytest.fixture
def staff(client: Client) -> Client:
    """Return a client of a server with a collection ``staff``, of threshold 0.6."""
    make(client)
    return client
