"""Downloads from a mirror."""

from pathlib import Path

import attrs
import pytest

from facecv.adapters.model_stores.local import LocalModelStore
from facecv.core.errors import DownloadError
from facecv.core.pack import ArchiveSpec
from facecv.plugins.contracts.model_store import (
    DETECTOR,
    EMBEDDER,
    FILES,
    example_pack,
    write_zip,
)
from tests.adapters.model_stores.file_server import FileServer
from tests.adapters.model_stores.packs import IMPATIENT, archived, single_files


class TestMirrors:
    """A mirror is asked for files by name; the published addresses are not."""

    NOWHERE = "http://127.0.0.1:9"

    def mirrored(self, tmp_path: Path, server: FileServer) -> LocalModelStore:
        return LocalModelStore(tmp_path / "cache", mirror=server.url + "/", downloader=IMPATIENT)

    def test_files_by_name(self, tmp_path: Path, server: FileServer) -> None:
        self.mirrored(tmp_path, server).pull(single_files(self.NOWHERE))
        assert server.paths == [
            "/example/det.onnx", "/det.onnx", "/example/rec.onnx", "/rec.onnx",
        ]  # fmt: skip

    def test_the_cache_of_another_machine(self, tmp_path: Path, server: FileServer) -> None:
        server.files = {f"/example/{name}": content for name, content in FILES.items()}
        self.mirrored(tmp_path, server).pull(single_files(self.NOWHERE))
        assert server.paths == ["/example/det.onnx", "/example/rec.onnx"]

    def test_archives_by_name(self, tmp_path: Path, server: FileServer) -> None:
        pack = archived(server, write_zip(tmp_path / "a.zip"))
        assert pack.archive is not None
        elsewhere = attrs.evolve(pack.archive, url=f"{self.NOWHERE}/v1/example.zip")
        self.mirrored(tmp_path, server).pull(attrs.evolve(pack, archive=elsewhere))
        assert server.paths == ["/example/example.zip", "/example.zip"]

    def test_the_files_of_an_archive_one_by_one(self, tmp_path: Path, server: FileServer) -> None:
        spec = ArchiveSpec(f"{self.NOWHERE}/example.zip")
        files = self.mirrored(tmp_path, server).pull(attrs.evolve(example_pack(), archive=spec))
        assert [file.path.read_bytes() for file in files] == [DETECTOR, EMBEDDER]

    def test_a_mirror_that_has_nothing(self, tmp_path: Path, server: FileServer) -> None:
        server.files = {}
        with pytest.raises(DownloadError, match="404"):
            self.mirrored(tmp_path, server).pull(single_files(self.NOWHERE))
