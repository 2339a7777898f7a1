"""Promises of `facecv.core.ports.model_store`."""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import attrs
import pytest

from facecv.core.errors import IntegrityError, ModelError, ModelNotFoundError
from facecv.core.pack import ModelSpec, PackManifest, Task
from facecv.core.ports.model_store import ModelStore

DETECTOR = b"a small detector" * 64
EMBEDDER = b"an embedder" * 128
FILES: Mapping[str, bytes] = {"det.onnx": DETECTOR, "rec.onnx": EMBEDDER}


def example_pack(name: str = "example", *, digests: bool = True) -> PackManifest:
    """Return a manifest of `FILES`, with or without digests and sizes."""
    detector = _spec("detection", "scrfd", "det.onnx", digests=digests)
    embedder = _spec("recognition", "arcface", "rec.onnx", digests=digests)
    return PackManifest(name=name, models=(detector, embedder))


def _spec(task: Task, provider: str, file: str, *, digests: bool) -> ModelSpec:
    return ModelSpec(
        name=Path(file).stem,
        file=file,
        task=task,
        provider=provider,
        sha256=sha256(FILES[file]) if digests else "",
        size=len(FILES[file]) if digests else 0,
    )


def sha256(content: bytes) -> str:
    """Return the SHA-256 of bytes, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def write_files(folder: Path, files: Mapping[str, bytes] = FILES) -> Path:
    """Write `files` to `folder` and return it."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def write_zip(path: Path, files: Mapping[str, bytes] = FILES) -> Path:
    """Write `files` to a zip archive and return its path."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


class ModelStoreContract:
    """Subclass this and override `store`: an empty store that needs no network for what it has."""

    @pytest.fixture
    def store(self) -> ModelStore:
        """Return the implementation under test, with no pack in it."""
        raise NotImplementedError

    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        """Return a folder that holds the files of `example_pack`."""
        return write_files(tmp_path / "source")

    def test_a_model_that_is_not_here_is_reported_with_a_way_to_get_it(
        self, store: ModelStore
    ) -> None:
        """The error names the pack, the hint the command."""
        with pytest.raises(ModelNotFoundError) as caught:
            store.resolve(example_pack(), "det")
        assert "example" in caught.value.message
        assert caught.value.hint

    def test_a_model_that_the_pack_does_not_have_is_not_found(self, store: ModelStore) -> None:
        """A wrong name is no missing file."""
        with pytest.raises(ModelNotFoundError, match="no model 'nose'"):
            store.resolve(example_pack(), "nose")

    def test_files_are_taken_from_a_folder(self, store: ModelStore, source: Path) -> None:
        """What was added resolves to a copy with its digest, specification and pack."""
        added = store.add(example_pack(), source)
        assert [file.spec.name for file in added] == ["det", "rec"]
        found = store.resolve(example_pack(), "rec")
        assert found.path.read_bytes() == EMBEDDER
        assert source not in found.path.parents
        assert found.sha256 == sha256(EMBEDDER)
        assert found.spec == example_pack().model("rec")
        assert found.pack == "example"

    @pytest.mark.parametrize("folder", ["", "example/", "another/"])
    def test_files_are_taken_from_an_archive(
        self, store: ModelStore, tmp_path: Path, folder: str
    ) -> None:
        """An archive may have a folder of its own."""
        files = {folder + name: content for name, content in FILES.items()}
        store.add(example_pack(), write_zip(tmp_path / "example.zip", files))
        assert store.resolve(example_pack(), "det").path.read_bytes() == DETECTOR

    def test_a_part_of_a_pack_may_be_added(self, store: ModelStore, source: Path) -> None:
        """Only what was found is returned."""
        (source / "rec.onnx").unlink()
        assert [file.spec.name for file in store.add(example_pack(), source)] == ["det"]

    def test_adding_nothing_is_an_error(self, store: ModelStore, tmp_path: Path) -> None:
        """Neither an empty folder nor one that does not exist has a model."""
        (tmp_path / "empty").mkdir()
        for place in (tmp_path / "empty", tmp_path / "nowhere"):
            with pytest.raises(ModelNotFoundError):
                store.add(example_pack(), place)

    def test_another_file_is_refused_and_the_good_one_kept(
        self, store: ModelStore, source: Path
    ) -> None:
        """A digest decides, even where the size is the same."""
        store.add(example_pack(), source)
        (source / "det.onnx").write_bytes(DETECTOR[::-1])
        with pytest.raises(IntegrityError) as caught:
            store.add(example_pack(), source)
        assert sha256(DETECTOR) in caught.value.message
        assert sha256(DETECTOR[::-1]) in caught.value.message
        assert store.resolve(example_pack(), "det").path.read_bytes() == DETECTOR

    def test_an_archive_that_leads_outside_is_refused(
        self, store: ModelStore, tmp_path: Path
    ) -> None:
        """The member is named and nothing is written."""
        evil = write_zip(tmp_path / "evil.zip", {**FILES, "../evil.onnx": b"evil"})
        with pytest.raises(ModelError, match=r"\.\./evil\.onnx"):
            store.add(example_pack(), evil)
        assert not list(tmp_path.rglob("evil.onnx"))
        with pytest.raises(ModelNotFoundError):
            store.resolve(example_pack(), "det")

    def test_a_changed_file_is_noticed(self, store: ModelStore, source: Path) -> None:
        """It neither resolves nor verifies."""
        store.add(example_pack(), source)
        store.resolve(example_pack(), "det").path.write_bytes(DETECTOR[::-1])
        with pytest.raises(IntegrityError):
            store.resolve(example_pack(), "det")
        assert [status.state for status in store.verify(example_pack())] == ["damaged", "ok"]

    def test_files_without_a_digest_are_held_to_their_first_one(
        self, store: ModelStore, source: Path
    ) -> None:
        """The digest is recorded when the file comes and checked from then on."""
        pack = example_pack(digests=False)
        store.add(pack, source)
        assert [status.state for status in store.verify(pack)] == ["ok", "ok"]
        store.resolve(pack, "det").path.write_bytes(b"another")
        with pytest.raises(IntegrityError):
            store.resolve(pack, "det")

    def test_what_is_missing_is_told(self, store: ModelStore) -> None:
        """Each file has a status that says where it would be."""
        for status in store.verify(example_pack()):
            assert status.state == "missing"
            assert status.path == store.path(example_pack()) / f"{status.model}.onnx"

    def test_a_removed_pack_is_gone(self, store: ModelStore, source: Path) -> None:
        """The bytes are counted; to remove nothing is fine."""
        store.add(example_pack(), source)
        store.add(example_pack("other"), source)
        assert store.remove(example_pack()) >= len(DETECTOR) + len(EMBEDDER)
        assert store.remove(example_pack()) == 0
        with pytest.raises(ModelNotFoundError):
            store.resolve(example_pack(), "det")
        assert store.resolve(example_pack("other"), "det").path.is_file()

    def test_pulling_a_pack_that_is_here_returns_it(self, store: ModelStore, source: Path) -> None:
        """No network is needed."""
        store.add(example_pack(), source)
        assert [file.spec.name for file in store.pull(example_pack())] == ["det", "rec"]

    def test_an_embedded_pack_is_used_where_it_lies(self, store: ModelStore, source: Path) -> None:
        """It resolves from its own folder and cannot be added to or removed."""
        pack = attrs.evolve(example_pack(), root=source)
        assert store.path(pack) == source
        assert store.resolve(pack, "det").path == source / "det.onnx"
        assert [file.path.parent for file in store.pull(pack)] == [source, source]
        with pytest.raises(ModelError):
            store.remove(pack)
        with pytest.raises(ModelError):
            store.add(pack, source)
        assert (source / "det.onnx").is_file()

    def test_an_embedded_file_whose_digest_is_not_known_is_unverified(
        self, store: ModelStore, source: Path
    ) -> None:
        """Nothing is recorded about folders that are not the store's."""
        pack = attrs.evolve(example_pack(digests=False), root=source)
        assert [status.state for status in store.verify(pack)] == ["unverified", "unverified"]
        assert store.resolve(pack, "det").sha256 == sha256(DETECTOR)

    def test_digests_follow_the_file(self, store: ModelStore, source: Path) -> None:
        """A file that changes has another digest."""
        file = source / "det.onnx"
        assert store.digest(file) == sha256(DETECTOR)
        file.write_bytes(b"changed")
        assert store.digest(file) == sha256(b"changed")
        with pytest.raises(ModelError):
            store.digest(source / "nowhere")
