"""Folders that the user names with ``--pack-dir``."""

import hashlib
from pathlib import Path

import attrs
import pytest
import structlog

from facecv.core.errors import ModelNotFoundError
from facecv.core.pack import ModelSpec, PackManifest, Task
from facecv.models.catalogue import PackCatalogue
from tests.models.example import ARCHIVE, DETECTOR, manifest, write


def digest(text: str) -> str:
    """Return the digest of a file that holds `text`."""
    return hashlib.sha256(text.encode()).hexdigest()


def model(task: Task, name: str) -> ModelSpec:
    """Return a model whose published file holds its name."""
    return ModelSpec(
        name=name,
        file=f"{name}.onnx",
        task=task,
        provider="any",
        sha256=digest(name),
        size=len(name),
        url="https://example.org",
    )


DET, REC, AGE = model("detection", "det"), model("recognition", "rec"), model("attributes", "age")
SMALL = PackManifest(name="small", models=(DET, REC))
LARGE = PackManifest(name="large", models=(DET, REC, AGE))
OTHER = PackManifest(name="other", models=(model("detection", "other"), REC))


@pytest.fixture
def known(tmp_path: Path) -> PackCatalogue:
    """Return a catalogue of the packs above."""
    (tmp_path / "none").mkdir()
    return PackCatalogue(registered=(SMALL, LARGE, OTHER), built_in=tmp_path / "none")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder that holds the small pack."""
    for name in ("det", "rec"):
        write(tmp_path / "folder" / f"{name}.onnx", name)
    return tmp_path / "folder"


def test_the_pack_that_is_complete_wins(known: PackCatalogue, folder: Path) -> None:
    found = known.local_pack(folder)
    assert (found.name, found.root, found.models) == ("small", folder, SMALL.models)


def test_of_complete_packs_the_largest_wins(known: PackCatalogue, folder: Path) -> None:
    write(folder / "age.onnx", "age")
    assert known.local_pack(folder).name == "large"


def test_an_unpacked_archive_has_a_folder_of_its_own(known: PackCatalogue, folder: Path) -> None:
    folder.rename(folder.with_name("small"))
    found = known.local_pack(folder.parent)
    assert (found.name, found.root) == ("small", folder.with_name("small"))


def test_a_folder_of_nothing_known_says_what_it_holds(known: PackCatalogue, folder: Path) -> None:
    (folder / "det.onnx").unlink()
    with pytest.raises(ModelNotFoundError) as caught:
        known.local_pack(folder)
    assert "rec.onnx" in caught.value.hint
    with pytest.raises(ModelNotFoundError, match="no folder"):
        known.local_pack(folder / "nowhere")


def test_a_file_that_is_not_the_published_one_is_taken_and_logged(
    known: PackCatalogue, folder: Path
) -> None:
    write(folder / "rec.onnx", "my own weights")
    with structlog.testing.capture_logs() as logs:
        found = known.local_pack(folder)
    assert found.model("rec").sha256 == digest("my own weights")
    assert found.model("rec").size == len("my own weights")
    assert found.model("det") == DET
    assert [(log["log_level"], log["model"]) for log in logs] == [("info", "rec")]


def test_published_files_are_not_logged(known: PackCatalogue, folder: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        known.local_pack(folder)
    assert logs == []


def test_a_pack_that_is_named_is_taken_from_the_folder(known: PackCatalogue, folder: Path) -> None:
    found = known.local_pack(folder, "large")
    assert (found.name, found.root) == ("large", folder)
    assert [model.name for model in found.models] == ["det", "rec"]


def test_a_missing_detector_stays_named(known: PackCatalogue, folder: Path) -> None:
    found = known.local_pack(folder, "other")
    assert [model.name for model in found.models] == ["other", "rec"]
    with pytest.raises(ModelNotFoundError):
        known.local_pack(folder, "unknown")


def test_a_manifest_in_the_folder_counts_unless_another_pack_is_named(
    known: PackCatalogue, folder: Path
) -> None:
    write(folder / "manifest.toml", manifest("mine", ARCHIVE, DETECTOR))
    assert known.local_pack(folder).name == "mine"
    assert known.local_pack(folder, "mine").root == folder
    assert known.local_pack(folder, "small").name == "small"


POSE = model("attributes", "pose")
MORE = model("attributes", "more")
TWIN = attrs.evolve(model("attributes", "twin"), part_of="pose")
EXTRA = PackManifest(name="extra", models=(POSE, TWIN, MORE))


@pytest.fixture
def more(known: PackCatalogue) -> PackCatalogue:
    """Return the catalogue with a pack of attribute models, and a loose one."""
    loose = """
[[models]]
name = "loose"
file = "loose.onnx"
task = "attributes"
provider = "any"
"""
    write(known.built_in / "loose.toml", f'{loose}sha256 = "{digest("loose")}"')
    return attrs.evolve(known, registered=(*known.registered, EXTRA))


class TestAttributesOfOthers:
    """Attribute models that are known join the pack in whose folder they lie."""

    def test_those_that_lie_there_join(self, more: PackCatalogue, folder: Path) -> None:
        for name in ("pose", "twin", "loose"):
            write(folder / f"{name}.onnx", name)
        found = more.local_pack(folder)
        assert (found.name, found.root) == ("small", folder)
        assert [each.name for each in found.models] == ["det", "rec", "pose", "twin", "loose"]
        assert found.parts("pose") == (TWIN,)

    def test_part_of_a_model_that_is_absent_stays_away(
        self, more: PackCatalogue, folder: Path
    ) -> None:
        write(folder / "twin.onnx", "twin")
        assert more.local_pack(folder).models == SMALL.models

    def test_the_packs_own_model_of_that_name_wins(self, more: PackCatalogue, folder: Path) -> None:
        mine = attrs.evolve(POSE, provider="mine")
        packs = (attrs.evolve(SMALL, models=(DET, REC, mine)), EXTRA)
        write(folder / "pose.onnx", "pose")
        found = attrs.evolve(more, registered=packs).local_pack(folder)
        assert found.model("pose").provider == "mine"

    def test_a_loose_file_is_known_by_its_digest(self, more: PackCatalogue, folder: Path) -> None:
        path = write(folder / "renamed.onnx", "loose")
        assert more.bare_model(path, "attributes").spec.name == "loose"


@pytest.mark.shared
def test_the_shared_models_are_buffalo_sc_with_the_attributes_there(shared: Path) -> None:
    found = PackCatalogue().local_pack(shared / "models")
    assert found.name == "buffalo_sc"
    names = [model.name for model in found.for_task("attributes")]
    assert sorted(names) == ["emotion_48", "fsanet", "genderage_v1", "minifasnet", "seeta_mask"]
    assert len(found.parts("minifasnet")) == len(found.parts("fsanet")) == 1
    assert found.model("det_500m") == PackCatalogue().pack("buffalo_sc").model("det_500m")
    assert found.model("w600k_mbf").recognition is not None


@pytest.mark.shared
def test_published_files_are_known_by_their_digest(shared: Path) -> None:
    known = PackCatalogue().bare_model(shared / "models" / "det_2.5g.onnx", "detection")
    assert known.spec == PackCatalogue().pack("buffalo_m").model("det_2.5g")
