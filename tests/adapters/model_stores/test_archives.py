"""Packs that come as one zip archive."""

import stat
import zipfile
from pathlib import Path

import pytest

from facecv.adapters.model_stores.local import LocalModelStore
from facecv.core.errors import IntegrityError, ModelError
from facecv.plugins.contracts.model_store import (
    DETECTOR,
    EMBEDDER,
    FILES,
    example_pack,
    write_files,
    write_zip,
)
from tests.adapters.model_stores.file_server import FileServer
from tests.adapters.model_stores.packs import archived, leftovers


class TestArchives:
    @pytest.mark.parametrize("folder", ["", "example/"])
    def test_only_the_files_of_the_manifest_are_taken(
        self, store: LocalModelStore, server: FileServer, tmp_path: Path, folder: str
    ) -> None:
        files = {**{folder + name: content for name, content in FILES.items()}, "more.txt": b"?"}
        store.pull(archived(server, write_zip(tmp_path / "a.zip", files)))
        assert sorted(path.name for path in store.path(example_pack()).iterdir()) == sorted(FILES)

    def test_a_wrong_archive_is_not_opened(
        self, store: LocalModelStore, server: FileServer, tmp_path: Path
    ) -> None:
        pack = archived(server, write_zip(tmp_path / "a.zip"))
        server.behaviour = "corrupt"
        with pytest.raises(IntegrityError, match=r"example\.zip"):
            store.pull(pack)
        assert leftovers(store) == []

    def test_an_archive_that_was_not_unpacked_yet_is_not_downloaded_again(
        self, store: LocalModelStore, server: FileServer, tmp_path: Path
    ) -> None:
        pack = archived(server, write_zip(tmp_path / "a.zip"))
        write_files(store.path(pack), {"example.zip": server.files["/example.zip"]})
        store.pull(pack)
        assert server.requests == []
        assert leftovers(store) == []

    def test_an_archive_that_lacks_a_file_is_refused(
        self, store: LocalModelStore, server: FileServer, tmp_path: Path
    ) -> None:
        pack = archived(server, write_zip(tmp_path / "a.zip", {"det.onnx": DETECTOR}))
        with pytest.raises(IntegrityError, match=r"lacks rec\.onnx"):
            store.pull(pack)
        assert store.resolve(pack, "det").path.is_file()

    def test_a_file_that_is_not_what_the_manifest_says_is_refused(
        self, store: LocalModelStore, server: FileServer, tmp_path: Path
    ) -> None:
        pack = archived(
            server, write_zip(tmp_path / "a.zip", {**FILES, "rec.onnx": EMBEDDER[::-1]})
        )
        with pytest.raises(IntegrityError, match=r"rec\.onnx"):
            store.pull(pack)
        assert leftovers(store) == []

    @pytest.mark.parametrize(
        "member", ["../evil", "/evil", "a/../../evil", "..\\evil", "C:evil", "a\\evil"]
    )
    def test_members_that_lead_outside_are_refused(
        self, store: LocalModelStore, server: FileServer, tmp_path: Path, member: str
    ) -> None:
        pack = archived(server, write_zip(tmp_path / "a.zip", {**FILES, member: b"evil"}))
        with pytest.raises(ModelError) as caught:
            store.pull(pack)
        assert repr(member) in caught.value.message
        assert leftovers(store) == []

    def test_links_are_refused(
        self, store: LocalModelStore, server: FileServer, tmp_path: Path
    ) -> None:
        link = zipfile.ZipInfo("det.onnx")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr(link, "/etc/hostname")
        with pytest.raises(ModelError, match="link"):
            store.pull(archived(server, tmp_path / "a.zip"))

    def test_a_member_larger_than_the_manifest_says_is_refused(
        self, store: LocalModelStore, tmp_path: Path
    ) -> None:
        bomb = write_zip(tmp_path / "a.zip", {"det.onnx": bytes(10_000_000)})
        with pytest.raises(IntegrityError, match="more"):
            store.add(example_pack(), bomb)
        assert leftovers(store) == []

    def test_a_file_that_could_be_two_members_is_refused(
        self, store: LocalModelStore, tmp_path: Path
    ) -> None:
        files = {"one/det.onnx": DETECTOR, "two/det.onnx": DETECTOR}
        with pytest.raises(ModelError, match="more than once"):
            store.add(example_pack(), write_zip(tmp_path / "a.zip", files))

    @pytest.mark.parametrize("damage", ["no archive", "cut off", "changed inside"])
    def test_a_damaged_archive_is_reported(
        self, store: LocalModelStore, tmp_path: Path, damage: str
    ) -> None:
        path = write_zip(tmp_path / "a.zip")
        content = bytearray(path.read_bytes())
        if damage == "changed inside":
            content[45] ^= 0xFF
        path.write_bytes(
            bytes({"no archive": b"text", "cut off": content[:-40]}.get(damage, content))
        )
        with pytest.raises(IntegrityError):
            store.add(example_pack(), path)
        assert not (store.root / "example" / "det.onnx").exists()
