"""``facecv demo``: with photos of a small world, and with the real photos and networks."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facecv.core.arrays import Pixels
from facecv.entrypoints.cli import demo_photos
from facecv.entrypoints.cli.demo_photos import ALTERATIONS, DemoPhoto, altered, contact_sheet
from tests.core.services import world
from tests.entrypoints.cli.runner import Cli

ADA, BOB, CYD = 0, 50, 250

GOLDEN = {
    "Eileen Collins": (1.0, 0.960, 0.695, 0.902, 0.985, 0.890, 0.925, 0.910, 0.967),
    "Grace Hopper": (1.0, 0.971, 0.936, 0.983, 0.980, 0.990, 0.940, 0.963, 0.929),
}
"""Cosines of the original and of each altered version, of det_500m and w600k_mbf on a CPU."""


def _person(name: str, who: int) -> DemoPhoto:
    return DemoPhoto(name.lower(), name, world.picture((100, 50, 120, who)))


@pytest.fixture
def small_world(monkeypatch: pytest.MonkeyPatch) -> list[DemoPhoto]:
    """Let the demo have other photos, and one alteration that the world survives."""
    found = [
        _person("Ada", ADA),
        _person("Bob", BOB),
        DemoPhoto("stranger", "", world.picture((9, 9, 99, CYD))),
    ]
    monkeypatch.setattr(demo_photos, "photos", lambda: found)
    monkeypatch.setattr(demo_photos, "ALTERATIONS", {"mirrored": ALTERATIONS["mirrored"]})
    return found


@pytest.mark.usefixtures("small_world")
class TestFlow:
    def test_persons_are_known_again_and_strangers_are_not(self, cli: Cli) -> None:
        found = cli.json("demo")
        answers = [(row["picture"], row["answer"], row["ok"]) for row in found["answers"]]
        assert answers == [
            ("ada", "Ada", True),
            ("ada, mirrored", "Ada", True),
            ("bob", "Bob", True),
            ("bob, mirrored", "Bob", True),
            ("stranger", None, True),
        ]
        assert found["ok"] is True
        assert set(found["seconds"]) == {"load", "detect", "embed"}

    def test_people_get_a_table_and_the_place_of_the_picture(self, cli: Cli) -> None:
        result = cli("demo")
        assert result.exit_code == 0
        assert "bob, mirrored" in result.stdout
        assert "5 of 5 right" in result.stdout
        assert "facecv-demo.jpg" in result.stdout
        with Image.open(cli.folder / "facecv-demo.jpg") as sheet:
            assert sheet.size == (1500, 300)

    def test_the_picture_goes_where_it_should(self, cli: Cli) -> None:
        assert cli("demo", "--out", "deep/sheet.png").exit_code == 0
        with Image.open(cli.folder / "deep" / "sheet.png") as sheet:
            assert sheet.format == "PNG"

    def test_nothing_else_is_kept(self, cli: Cli) -> None:
        cli("demo")
        assert [path.name for path in cli.folder.rglob("*") if path.is_file()] == [
            "facecv-demo.jpg"
        ]

    def test_a_stranger_who_is_recognised_is_a_failure(
        self, cli: Cli, small_world: list[DemoPhoto]
    ) -> None:
        small_world[2] = DemoPhoto("stranger", "", _person("Ada", ADA + 1).pixels)
        found = cli.json("demo", code=1)
        assert found["ok"] is False
        assert found["answers"][-1]["answer"] == "Ada"

    def test_a_person_who_is_not_found_is_a_failure(
        self, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(demo_photos, "ALTERATIONS", {"blank": np.zeros_like})
        found = cli.json("demo", code=1)
        assert found["answers"][1]["status"] == "no face"
        assert "NO" in cli("demo").stdout


@pytest.mark.parametrize("package", ["skimage.data", "matplotlib.cbook"])
def test_a_missing_package_is_named(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    pytest.importorskip("skimage.data")
    pytest.importorskip("matplotlib.cbook")
    monkeypatch.setitem(sys.modules, package, None)
    result = cli("demo")
    assert result.exit_code == 4
    assert "pip install 'facecv[demo]'" in result.stderr


class TestPhotos:
    def test_come_out_of_the_packages(self) -> None:
        pytest.importorskip("skimage.data")
        pytest.importorskip("matplotlib.cbook")
        found = demo_photos.photos()
        assert [photo.person for photo in found] == ["Eileen Collins", "Grace Hopper", ""]
        blue, _, red = found[0].pixels[300:500, 100:300].reshape(-1, 3).mean(axis=0)
        assert red > blue + 50  # the orange suit: BGR, not RGB

    @pytest.mark.parametrize("change", ALTERATIONS)
    def test_are_altered_into_other_pictures(self, change: str) -> None:
        image = _noise(90, 120)
        before = image.copy()
        other = ALTERATIONS[change](image)
        assert (image == before).all()
        assert other.dtype == np.uint8
        assert other.shape != image.shape or (other != image).any()

    def test_have_a_version_for_each_alteration(self) -> None:
        titles = [photo.title for photo in altered(_person("Ada", ADA))]
        assert len(titles) == len(set(titles)) == 8
        assert "ada, turned by 90°" in titles

    @pytest.mark.parametrize("sizes", [[(50, 20)], [(20, 50)] * 5, [(10, 10)] * 6])
    def test_fit_on_a_sheet(self, sizes: Sequence[tuple[int, int]]) -> None:
        sheet = contact_sheet([_noise(*size) for size in sizes], columns=5, side=40)
        assert sheet.shape == (40 * (1 + (len(sizes) > 5)), 200, 3)


def _noise(height: int, width: int) -> Pixels:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.shared
def test_real_photos_and_networks_give_the_recorded_similarities(cli: Cli, shared: Path) -> None:
    pytest.importorskip("skimage.data")
    pytest.importorskip("matplotlib.cbook")
    models = ["--pack", "buffalo_sc", "--detector", "det_500m", "--embedder", "w600k_mbf"]
    found = cli.json("demo", "--pack-dir", shared / "models", *models, "--device", "cpu")
    assert found["ok"] is True
    rows = found["answers"]
    for name, wanted in GOLDEN.items():
        similarities = [row["similarity"] for row in rows if row["expected"] == name]
        assert similarities == pytest.approx(wanted, abs=0.02)
    assert rows[-1]["status"] == "unknown"
