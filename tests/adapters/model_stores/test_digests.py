"""Digests that are remembered, and digests that are recorded."""

import json
import os
from pathlib import Path

import pytest

from facecv.adapters.model_stores.digests import DigestCache
from facecv.adapters.model_stores.local import LocalModelStore
from facecv.core.errors import IntegrityError
from facecv.plugins.contracts.model_store import (
    DETECTOR,
    FILES,
    sha256,
    write_files,
)
from tests.adapters.model_stores.file_server import FileServer
from tests.adapters.model_stores.packs import single_files


class TestDigestsThatAreNotPublished:
    def test_the_first_download_is_recorded(
        self, store: LocalModelStore, server: FileServer
    ) -> None:
        store.pull(single_files(server.url, digests=False))
        record = json.loads((store.root / "example" / "digests.json").read_text())
        assert record == {name: sha256(content) for name, content in FILES.items()}

    def test_a_later_download_must_be_the_same(
        self, store: LocalModelStore, server: FileServer
    ) -> None:
        pack = single_files(server.url, digests=False)
        store.pull(pack)
        (store.root / "example" / "det.onnx").unlink()
        server.files["/det.onnx"] = b"another detector"
        with pytest.raises(IntegrityError):
            store.pull(pack)
        store.remove(pack)
        assert store.pull(pack)[0].path.read_bytes() == b"another detector"

    def test_a_damaged_record_is_reported(self, store: LocalModelStore, server: FileServer) -> None:
        pack = single_files(server.url, digests=False)
        store.pull(pack)
        (store.root / "example" / "digests.json").write_text("nonsense")
        with pytest.raises(IntegrityError, match="record"):
            store.resolve(pack, "det")


class TestDigestCache:
    def test_an_unchanged_file_is_hashed_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = write_files(tmp_path, FILES) / "det.onnx"
        assert DigestCache(tmp_path / "digests.json").sha256(file) == sha256(DETECTOR)
        monkeypatch.setattr("facecv.adapters.model_stores.digests.file_digest", lambda _: "hashed")
        another = DigestCache(tmp_path / "digests.json")
        assert another.sha256(file) == sha256(DETECTOR)
        assert another.sha256(file, fresh=True) == "hashed"

    def test_a_file_that_was_replaced_is_hashed_again(self, tmp_path: Path) -> None:
        cache = DigestCache(tmp_path / "digests.json")
        file = write_files(tmp_path, FILES) / "det.onnx"
        cache.sha256(file)
        status = file.stat()
        write_files(tmp_path, {"new": DETECTOR[::-1]})
        os.utime(tmp_path / "new", ns=(status.st_atime_ns, status.st_mtime_ns))
        (tmp_path / "new").replace(file)
        assert cache.sha256(file) == sha256(DETECTOR[::-1])

    @pytest.mark.parametrize("content", ["nonsense", "[]", '{"a": 1}', '{"a": [1]}'])
    def test_a_damaged_cache_is_an_empty_one(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "digests.json").write_text(content)
        file = write_files(tmp_path, FILES) / "det.onnx"
        assert DigestCache(tmp_path / "digests.json").sha256(file) == sha256(DETECTOR)

    def test_files_that_are_gone_are_forgotten(self, tmp_path: Path) -> None:
        cache = DigestCache(tmp_path / "digests.json")
        folder = write_files(tmp_path / "files", FILES)
        cache.sha256(folder / "det.onnx")
        (folder / "det.onnx").unlink()
        cache.sha256(folder / "rec.onnx")
        assert list(json.loads((tmp_path / "digests.json").read_text())) == [
            str(folder / "rec.onnx")
        ]
