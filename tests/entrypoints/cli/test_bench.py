"""``facecv bench accuracy`` in a world of known similarities, and on real faces where they are."""

import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.core.services import world
from tests.entrypoints.cli.runner import Cli, save
from tests.toy_pack import make_toy_pack

WHO = {"Ann": 0, "Bo": 80, "Cy": 160, "Di": 240}
PHOTOS = 6
SAME = [f"{name}\t{i}\t{i + 1}" for name in WHO for i in range(1, PHOTOS)]
DIFFERENT = [
    *[f"Ann\t{i}\t{name}\t{i}" for name in ("Bo", "Cy", "Di") for i in range(1, PHOTOS + 1)],
    "Bo\t1\tCy\t1",
    "Bo\t2\tDi\t2",
]


@pytest.fixture
def photos(cli: Cli) -> Path:
    """Return a folder of six photos of each of four persons, a stranger in a corner of each."""
    for name, who in WHO.items():
        for number in range(PHOTOS):
            pixels = world.picture((160, 110, 80, who + number), (0, 0, 60, 120))
            _save(cli.folder / "photos" / name / f"{name}_{number + 1:04d}.png", pixels)
    (cli.folder / "pairs.txt").write_text("\n".join(["20", *SAME, *DIFFERENT]) + "\n")
    return cli.folder / "photos"


def _save(path: Path, pixels: Any) -> None:
    save(path, pixels).rename(path.with_suffix(".jpg"))  # what it holds decides how it is read


def run(cli: Cli, *more: object) -> Result:
    return cli("bench", "accuracy", "--pairs", "pairs.txt", "--images", "photos", *more)


def answer(cli: Cli, *more: object) -> dict[str, Any]:
    command = ["bench", "accuracy", "--pairs", "pairs.txt", "--images", "photos", *more]
    found: dict[str, Any] = cli.json(*command)
    return found


@pytest.mark.usefixtures("photos")
class TestAccuracy:
    def test_persons_that_look_different_are_told_apart(self, cli: Cli) -> None:
        found = answer(cli)
        assert found["pictures"] == 24
        assert found["without_face"] == []
        assert found["pairs"] == {"same": 20, "different": 20, "unjudged": 0}
        assert (found["accuracy"]["mean"], found["accuracy"]["std"]) == (1, 0)
        assert len(found["accuracy"]["folds"]) == 10
        assert (found["roc"]["auc"], found["roc"]["eer"]) == (1, 0)
        assert found["space"]["model"] == "world"
        nearest = world.cosine(0, 80)  # the likest pair of two persons, the unlikest of one
        middle = (nearest + world.cosine(0, 1)) / 2
        assert found["roc"]["best_threshold"] == pytest.approx(middle, abs=1e-4)

    def test_folds_of_the_list_are_kept(self, cli: Cli) -> None:
        folds = [[*SAME[i : i + 5], *DIFFERENT[i : i + 5]] for i in range(0, 20, 5)]
        lines = ["4 5", *(line for fold in folds for line in fold)]
        (cli.folder / "pairs.txt").write_text("\n".join(lines))
        assert len(answer(cli)["accuracy"]["folds"]) == 4

    def test_the_face_in_the_middle_counts(self, cli: Cli) -> None:
        """A large stranger, the same everywhere, stands aside; only `--order` lets him count."""
        (cli.folder / "facecv.toml").write_text('[detection]\norder = "area"\n')
        for photo in (cli.folder / "photos").rglob("*.jpg"):
            who = WHO[photo.parent.name]
            faces = ((170, 120, 60, who), (0, 0, 160, 120))
            _save(photo.with_suffix(".png"), world.picture(*faces))
        assert answer(cli)["accuracy"]["mean"] == 1
        assert answer(cli, "--order", "area")["accuracy"]["mean"] == 0.5

    def test_all_pairs_of_pictures_are_compared(self, cli: Cli) -> None:
        found = answer(cli, "--all-pairs")["roc"]
        assert found["same"] == 4 * 15
        assert found["different"] == 24 * 23 // 2 - 4 * 15
        assert [point["target"] for point in found["points"]] == [1e-2, 1e-3, 1e-4, 1e-5, 1e-6]
        assert not any(point["reliable"] for point in found["points"])
        likest = world.cosine(WHO["Ann"] + 5, WHO["Bo"])
        assert all(likest < point["threshold"] for point in found["points"][1:])

    def test_a_picture_without_a_face_makes_its_pairs_errors(self, cli: Cli) -> None:
        _save(cli.folder / "photos/Ann/Ann_0001.png", world.picture())
        found = answer(cli)
        assert found["without_face"] == ["Ann/Ann_0001.jpg"]
        assert found["pairs"]["unjudged"] == 4
        assert found["accuracy"]["mean"] == pytest.approx(1 - 4 / 40)

    @pytest.mark.parametrize("size", [1, 1000])
    def test_batches_change_nothing(self, cli: Cli, size: int) -> None:
        assert answer(cli, "--batch-size", size) == answer(cli)

    def test_people_get_tables(self, cli: Cli) -> None:
        result = run(cli)
        assert result.exit_code == 0
        assert "100.00% ± 0.00% (10 folds)" in result.stdout
        assert "in 24 of 24 pictures" in result.stdout
        assert "too few pairs" in result.stdout

    def test_flipping_is_a_space_of_its_own(self, cli: Cli) -> None:
        make_toy_pack(cli.folder / "toy")
        embedder = cli.folder / "toy" / "arcface.onnx"
        spaces = [
            answer(cli, "--embedder", embedder, "--device", "cpu", *more)["space"]["preprocessing"]
            for more in ([], ["--flip"])
        ]
        assert spaces[1] == spaces[0] + "+flip"

    def test_the_curve_is_drawn(self, cli: Cli) -> None:
        pytest.importorskip("matplotlib")
        assert run(cli, "--out", "curves/roc.png").exit_code == 0
        assert (cli.folder / "curves/roc.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("photos")
class TestBadInput:
    def test_what_cannot_be_drawn_is_said_before_the_work(
        self, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pytest.importorskip("matplotlib")
        result = run(cli, "--out", "roc.doc")
        assert (result.exit_code, result.stdout) == (3, "")
        assert "roc.doc" in result.stderr
        monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
        result = run(cli, "--out", "roc.png")
        assert result.exit_code == 4
        assert "pip install 'facecv[demo]'" in result.stderr

    @pytest.mark.parametrize(
        "content", ["", "no list\n", "2\nAnn\t1\t2\n", "1\nAnn 1 2\nAnn 1 Bo 9\n"]
    )
    def test_wrong_lists_and_missing_pictures_are_input_errors(
        self, cli: Cli, content: str
    ) -> None:
        (cli.folder / "pairs.txt").write_text(content)
        result = run(cli)
        assert result.exit_code == 3
        assert result.stderr.startswith("error: ")

    def test_a_list_that_is_not_there_is_an_input_error(self, cli: Cli) -> None:
        assert run(cli, "--pairs", "nowhere.txt").exit_code == 3


@pytest.mark.shared
def test_real_faces(cli: Cli, shared: Path) -> None:
    """A part of LFW: every face is found, and nearly all pairs are judged rightly."""
    data = shared / "data" / "lfw_dev"
    lines = (data / "pairsDevTest.txt").read_text().splitlines()[1:]
    chosen = [*lines[:500:20], *lines[500::20]]
    (cli.folder / "pairs.txt").write_text("\n".join([str(len(chosen) // 2), *chosen]))
    models = ["--detector", "det_500m", "--embedder", "w600k_mbf", "--device", "cpu"]
    found = answer(cli, "--images", data, "--pack-dir", shared / "models", "--pack", "", *models)
    assert found["without_face"] == []
    assert found["accuracy"]["mean"] >= 0.96
    assert found["roc"]["auc"] >= 0.99
