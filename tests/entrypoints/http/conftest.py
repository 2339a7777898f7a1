"""Fixtures of the HTTP service's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.entrypoints.http.served import Client, open_client
from tests.entrypoints.http.workers import Both, Pair, pair_in


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """Return a client of a server over the small world, without keys."""
    with open_client(tmp_path) as client:
        yield client


@pytest.fixture(scope="package")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Return a server of two workers; tests leave it as it was."""
    with pair_in(tmp_path_factory.mktemp("pair")) as pair:
        yield pair


@pytest.fixture
def both(pair: Pair) -> Iterator[Both]:
    """Return a client of each worker."""
    with pair.each() as both:
        yield both
