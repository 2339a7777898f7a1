"""A server on this machine and a store that downloads from it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from facecv.adapters.model_stores.local import LocalModelStore
from facecv.plugins.contracts.model_store import FILES
from tests.adapters.model_stores.file_server import FileServer, serving
from tests.adapters.model_stores.packs import IMPATIENT


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """Return a running server that has the files of `example_pack`; no proxy stands before it."""
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    with serving({f"/{name}": content for name, content in FILES.items()}) as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> LocalModelStore:
    """Return an empty store that may download."""
    return LocalModelStore(tmp_path / "cache", downloader=IMPATIENT)
