"""``facecv models quantize`` with the models of the embedded pack."""

import shutil
import tomllib
from pathlib import Path

import pytest

from facecv.entrypoints.cli import models_quantize
from facecv.models.catalogue import BUILT_IN
from tests.entrypoints.cli.runner import Cli

NANO = ("--pack", "nano", "--detector", "det_nano", "--embedder", "embed_nano")
MODEL = "embed_nano"


@pytest.fixture(scope="session")
def photos(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a dozen photos of faces."""
    folder = tmp_path_factory.mktemp("photos")
    for path in sorted((shared / "data/lfw_dev").rglob("*.jpg"))[::120]:
        shutil.copy(path, folder)
    return folder


def words(model: str, photos: Path, *more: object) -> list[object]:
    return ["models", "quantize", model, "--calibrate", photos, *NANO, "--device", "cpu", *more]


def variants(cli: Cli) -> Path:
    return cli.folder / "cache" / ".variants"


class TestEmbedder:
    def test_becomes_a_model_of_its_own(self, cli: Cli, photos: Path) -> None:
        """With a digest of its own, and so a space; the figures are told."""
        found = cli.json(*words(MODEL, photos, "--min-cosine", 0.5))
        assert (found["name"], found["measure"], found["installed"]) == (
            f"{MODEL}-int8",
            "cosine",
            True,
        )
        assert 0.5 < found["mean"] < 1
        assert found["size"] < found["of"]
        manifest = tomllib.loads(Path(found["path"], "manifest.toml").read_text(encoding="utf-8"))
        (model,) = manifest["models"]
        assert model["sha256"] == found["sha256"]
        picture = next(photos.iterdir())
        (answer,) = cli.json("embed", picture, *NANO[:4], "--embedder", f"{MODEL}-int8")
        space = answer["faces"][0]["space"]
        assert space.startswith(f"{MODEL}-int8/512/{found['sha256'][:12]}/")

    def test_below_the_bar_nothing_is_installed(self, cli: Cli, photos: Path) -> None:
        """The figures are told all the same; exit code 4."""
        result = cli(*words(MODEL, photos, "--min-cosine", 1))
        assert result.exit_code == 4
        assert "is not installed: its mean cosine" in result.stderr
        assert "cosine to the original" in result.stdout
        assert not variants(cli).exists()
        assert not list((cli.folder / "cache").glob(".draft-*"))

    def test_of_a_backend_whose_networks_take_bytes(self, cli: Cli, photos: Path) -> None:
        """What calibrates is what the file takes, whatever the engine's own network takes."""
        pytest.importorskip("openvino", reason="the extra openvino is not installed")
        found = cli.json(*words(MODEL, photos, "--backend", "openvino", "--min-cosine", 0.5))
        assert 0.5 < found["mean"] < 1

    def test_is_removed_like_a_pack(self, cli: Cli, photos: Path) -> None:
        """It is ours to delete."""
        cli.json(*words(MODEL, photos, "--to", "fp16"))
        packs = {one["pack"]: one for one in cli.json("models", "list")}
        assert packs[f"{MODEL}-fp16"]["models"][0]["state"] == "installed"
        assert cli("models", "remove", f"{MODEL}-fp16", "--yes").exit_code == 0
        assert not list(variants(cli).iterdir())

    def test_takes_the_place_of_an_earlier_one(self, cli: Cli, photos: Path) -> None:
        """Also while that one is known."""
        for _ in range(2):
            found = cli.json(*words(MODEL, photos, "--to", "fp16"))
        assert found["mean"] > 0.999
        assert [path.name for path in variants(cli).iterdir()] == [f"{MODEL}-fp16"]

    def test_another_space_in_its_place_is_warned_of(self, cli: Cli, photos: Path) -> None:
        """Collections of the earlier one have no model any more; the same one again harms none."""
        told = [
            cli(*words(MODEL, photos, "--min-cosine", -1, "--samples", samples)).stderr
            for samples in (4, 4, 8)
        ]
        assert ["are to be migrated" in each for each in told] == [False, False, True]

    def test_a_variant_is_not_converted_again(self, cli: Cli, photos: Path) -> None:
        cli.json(*words(MODEL, photos, "--to", "fp16"))
        result = cli(*words(f"{MODEL}-fp16", photos))
        assert result.exit_code == 4
        assert "is fp16 already" in result.stderr


class TestDetector:
    def test_is_measured_by_its_boxes(self, cli: Cli, photos: Path) -> None:
        """Overlap with those of the original."""
        found = cli.json(*words("det_nano", photos, "--min-overlap", 0.3))
        assert found["measure"] == "overlap"
        assert found["installed"]


class TestAccuracy:
    def test_of_both_is_told(self, cli: Cli, shared: Path, photos: Path) -> None:
        """On the pairs that were named; too great a loss is a reason not to install."""
        images = shared / "data/lfw_dev"
        lines = (images / "pairsDevTest.txt").read_text(encoding="utf-8").splitlines()
        pairs = cli.folder / "pairs.txt"
        pairs.write_text("\n".join(["12", *lines[1:13], *lines[501:513]]), encoding="utf-8")
        more = ("--min-cosine", 0.5, "--pairs", pairs, "--images", images)
        found = cli.json(*words(MODEL, photos, *more))
        assert 0.5 < found["accuracy"] <= 1
        assert 0.5 < found["accuracy_of_original"] <= 1
        figures = {"measure": "cosine", "mean": 1.0, "accuracy": 0.9, "accuracy_of_original": 0.95}
        named = {"cosine": None}
        assert "5.00% of accuracy" in models_quantize._problem(figures, named, max_loss=0.04)
        assert not models_quantize._problem(figures, named, max_loss=0.05)


class TestObstacles:
    def test_no_faces(self, cli: Cli) -> None:
        """Pictures in which no face is found cannot calibrate anything."""
        cli.picture("empty/a.png")
        result = cli(*words(MODEL, cli.folder / "empty"))
        assert result.exit_code == 3
        assert "no face" in result.stderr

    def test_no_pictures(self, cli: Cli) -> None:
        (cli.folder / "empty").mkdir()
        assert cli(*words(MODEL, cli.folder / "empty")).exit_code == 3

    def test_an_unknown_model(self, cli: Cli, tmp_path: Path) -> None:
        result = cli(*words("embed_nono", tmp_path))
        assert result.exit_code == 4
        assert "embed_nano" in result.stderr

    def test_pairs_without_images(self, cli: Cli, tmp_path: Path) -> None:
        assert cli(*words(MODEL, tmp_path, "--pairs", "p.txt")).exit_code == 2

    def test_the_embedded_models_are_there(self) -> None:
        """What these tests convert."""
        assert (BUILT_IN / "nano/embed_nano.onnx").is_file()
