"""The store that keeps packs in a folder, and the fake."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import attrs
import pytest

from facecv.adapters.model_stores.local import LocalModelStore
from facecv.core.errors import DownloadError, ModelError, ModelNotFoundError
from facecv.core.ports.model_store import ModelStore
from facecv.plugins.contracts.model_store import (
    DETECTOR,
    ModelStoreContract,
    example_pack,
    sha256,
    write_files,
)
from tests.adapters.model_stores.file_server import FileServer
from tests.adapters.model_stores.packs import single_files
from tests.fakes.model_store import FakeModelStore


class TestLocalModelStore(ModelStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ModelStore:
        return LocalModelStore(tmp_path / "cache", offline=True)


class TestFakeModelStore(ModelStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ModelStore:
        return FakeModelStore(tmp_path / "cache")


class TestOffline:
    def test_a_missing_file_is_reported_and_nothing_asked(
        self, tmp_path: Path, server: FileServer
    ) -> None:
        store = LocalModelStore(tmp_path / "cache", offline=True)
        with pytest.raises(DownloadError, match="offline"):
            store.pull(single_files(server.url))
        assert server.requests == []


class TestSeveralProcesses:
    PULL = textwrap.dedent("""
        import sys, pathlib, attrs
        from facecv.adapters.model_stores.local import LocalModelStore
        from facecv.plugins.contracts.model_store import example_pack
        url, root = sys.argv[1:]
        pack = example_pack()
        models = tuple(attrs.evolve(m, url=f"{url}/{m.file}") for m in pack.models)
        print(len(LocalModelStore(pathlib.Path(root)).pull(attrs.evolve(pack, models=models))))
    """)

    def test_two_pulls_at_once_download_once(self, tmp_path: Path, server: FileServer) -> None:
        command = [sys.executable, "-c", self.PULL, server.url, str(tmp_path / "cache")]
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        answers = [process.communicate(timeout=120)[0] for process in running]
        assert [answer.splitlines()[-1] for answer in answers] == ["2", "2"]
        assert sorted(server.paths) == ["/det.onnx", "/rec.onnx"]


class TestTheCache:
    def test_a_missing_model_names_the_command(self, store: LocalModelStore) -> None:
        with pytest.raises(ModelNotFoundError) as caught:
            store.resolve(example_pack(), "det")
        assert "facecv models pull example" in caught.value.hint

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_a_folder_that_cannot_be_written(self, tmp_path: Path, server: FileServer) -> None:
        (tmp_path / "cache").mkdir(mode=0o500)
        with pytest.raises(ModelError, match="cannot write"):
            LocalModelStore(tmp_path / "cache").pull(single_files(server.url))

    def test_a_file_where_the_folder_should_be(self, tmp_path: Path, server: FileServer) -> None:
        (tmp_path / "cache").write_text("not a folder")
        with pytest.raises(ModelError, match="cannot write") as caught:
            LocalModelStore(tmp_path / "cache").pull(single_files(server.url))
        assert str(tmp_path / "cache") in caught.value.message
        assert "cache_dir" in caught.value.hint

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
    def test_a_full_disk(self, store: LocalModelStore, tmp_path: Path) -> None:
        store.path(example_pack()).mkdir(parents=True)
        (store.path(example_pack()) / "det.onnx.new").symlink_to("/dev/full")
        with pytest.raises(ModelError, match="No space left"):
            store.add(example_pack(), write_files(tmp_path / "source"))

    def test_reading_works_where_nothing_can_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "cache").write_text("not a folder")
        pack = attrs.evolve(example_pack(), root=write_files(tmp_path / "pack"))
        assert LocalModelStore(tmp_path / "cache").pull(pack)[0].sha256 == sha256(DETECTOR)
