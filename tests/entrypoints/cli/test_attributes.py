"""Attributes on the command line: what is printed, what is asked for, and the liveness gate."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from facecv.core.ports.attribute_model import AttributeModel
from facecv.plugins import Provider, hookimpl
from tests.core.services import world
from tests.entrypoints.cli.runner import Cli, save

LIVE, DARK, SPOOF = 10, 150, 240


class Tellers:
    """A plugin with more attribute models of the world of tests."""

    @hookimpl
    def facecv_register_attribute_models(self) -> Iterable[Provider[AttributeModel]]:
        return [
            Provider("alive", lambda _: world.WorldLiveness()),
            Provider("shape", lambda _: world.WorldShape()),
            Provider("ages", lambda _: world.WorldAttributes("age", world.ALIGNED)),
        ]


@pytest.fixture
def teller(cli: Cli) -> Cli:
    """Return the command line with liveness, poses and points."""
    cli.plugins.append(Tellers())
    return cli


class TestAnalyze:
    MODELS = ("--attribute", "world", "--attribute", "shape", "--attribute", "alive")

    def test_json_has_poses_points_and_reasons(self, teller: Cli) -> None:
        photo = teller.picture("dark.png", (100, 100, 80, DARK))
        (face,) = teller.json("analyze", photo, *self.MODELS)[0]["faces"]
        said = face["attributes"]
        assert said["pose"] == {
            "value": {"yaw": 20.0, "pitch": -5.4, "roll": 0.0},
            "model": "world",
        }
        assert said["landmarks_1"]["value"] == [[140.0, 140.0]]
        assert said["liveness"] == {"value": "rejected", "reason": "too dark", "model": "world"}

    def test_tables_say_it_in_a_few_words(self, teller: Cli) -> None:
        photo = teller.picture("dark.png", (100, 100, 80, DARK))
        table = teller("analyze", photo, *self.MODELS).stdout
        assert "yaw +20° pitch -5° roll +0°" in table
        assert "landmarks_1 (1 points)" in table
        assert "liveness rejected: too dark" in table

    def test_only_what_is_named_is_told(self, teller: Cli) -> None:
        photo = teller.picture("a.png", (100, 100, 80, LIVE))
        (face,) = teller.json("analyze", photo, *self.MODELS, "--only", "pose")[0]["faces"]
        assert set(face["attributes"]) == {"pose"}
        wrong = teller("analyze", photo, *self.MODELS, "--only", "hat")
        assert wrong.exit_code == 3
        assert "at hand are: blue, landmarks_1, liveness, pose" in wrong.stderr

    def test_what_is_drawn_are_words_and_numbers(self, teller: Cli) -> None:
        """Poses and points do not fit beside a box."""
        photo = teller.picture("a.png", (100, 100, 80, LIVE))
        for models, name in ((("--attribute", "world"), "few"), (self.MODELS[:4], "many")):
            assert teller("analyze", photo, *models, "--draw", f"{name}.png").exit_code == 0
        few, many = ((teller.folder / f"{name}.png").read_bytes() for name in ("few", "many"))
        assert few == many


class TestLivenessGate:
    GATED = ("--attribute", "alive", "--liveness")

    @pytest.fixture
    def photos(self, teller: Cli) -> Path:
        """Return a folder with a photo of somebody alive, and one of a photo."""
        teller.picture("live.png", (100, 100, 80, LIVE))
        teller.picture("spoof.png", (100, 100, 80, SPOOF))
        return teller.folder

    def test_enforce_enrols_only_the_living(self, teller: Cli, photos: Path) -> None:
        enroll = ("enroll", "--name", "Ada", *self.GATED, "enforce")
        refused = teller(*enroll, "live.png", "spoof.png")
        assert refused.exit_code == 3
        assert "spoof.png: the face does not pass for live: spoof" in refused.stderr
        answer = teller.json(*enroll, "live.png", "spoof.png", "--skip-bad")
        live, spoof = sorted(answer[0]["photos"], key=lambda photo: photo["source"])
        assert live["liveness"] == {"value": "live", "model": "world"}
        assert spoof["error"]["code"] == "not-live"

    def test_observe_enrols_and_warns(self, teller: Cli, photos: Path) -> None:
        done = teller("enroll", "--name", "Ada", "spoof.png", *self.GATED, "observe")
        assert done.exit_code == 0
        assert "warning: Ada: " in done.stderr
        assert "spoof.png: spoof" in done.stderr

    def test_enforce_answers_only_for_the_living(self, teller: Cli, photos: Path) -> None:
        assert teller("enroll", "--name", "Ada", "live.png").exit_code == 0
        both = teller.picture("both.png", (20, 20, 80, LIVE), (200, 100, 90, SPOOF))
        (face,) = teller.json("identify", both, *self.GATED, "enforce")[0]["faces"]
        assert (face["status"], face["liveness"]["value"]) == ("match", "live")
        refused = teller("identify", "spoof.png", *self.GATED, "enforce")
        assert refused.exit_code == 3
        assert "does not pass for live" in refused.stderr

    def test_observe_answers_and_tells(self, teller: Cli, photos: Path) -> None:
        assert teller("enroll", "--name", "Ada", "live.png").exit_code == 0
        shown = teller("identify", "spoof.png", *self.GATED, "observe")
        assert "unknown, spoof" in shown.stdout

    def test_a_gate_without_a_model_is_a_mistake(self, teller: Cli, photos: Path) -> None:
        result = teller("enroll", "--name", "Ada", "live.png", "--liveness", "observe")
        assert result.exit_code == 2
        assert "no attribute model gives liveness" in result.stderr


class TestBench:
    """``facecv bench attributes``."""

    @pytest.fixture
    def data(self, teller: Cli) -> Path:
        """Return a folder with two labelled spoofs and one living face, and pictures of cats."""
        for name, who in (("image_T1", LIVE), ("image_F1", SPOOF), ("image_F2", LIVE)):
            teller.picture(f"data/spoof/{name}.png", (100, 100, 80, who))
        teller.picture("data/spoof/image_F1_result.png", (100, 100, 80, LIVE))
        teller.picture("data/cats/1.png", (100, 100, 80, LIVE))
        return teller.folder / "data"

    def bench(self, cli: Cli, *more: object) -> Any:
        return cli.json("bench", "attributes", "--data", "data", *more)

    def test_each_model_is_measured_on_what_it_tells(self, teller: Cli, data: Path) -> None:
        teller.picture("data/utkface/7_0_1_a.png", (100, 100, 80, LIVE))
        (score,) = self.bench(teller, "--attribute", "alive", "--attribute", "world")
        assert score == {
            "data": "spoof",
            "attribute": "liveness",
            "model": "alive",
            "pictures": 3,
            "judged": 3,
            "accuracy": pytest.approx(2 / 3),
            "mean_error": None,
        }

    def test_numbers_are_off_by_so_much(self, teller: Cli, data: Path) -> None:
        """The age here is the blue of the face."""
        for name in ("7_0_1_a", "12_1_1_b"):
            teller.picture(f"data/utkface/{name}.png", (100, 100, 80, LIVE))
        (score,) = self.bench(teller, "--attribute", "ages", "--every-picture")
        assert (score["data"], score["attribute"], score["judged"]) == ("utkface", "age", 2)
        assert score["accuracy"] is None
        assert score["mean_error"] == pytest.approx(2.5, abs=0.2)

    def test_pictures_without_a_face_are_not_judged(self, teller: Cli, data: Path) -> None:
        save(data / "spoof" / "image_F3.png", world.picture())
        (score,) = self.bench(teller, "--attribute", "alive")
        assert (score["pictures"], score["judged"]) == (4, 3)

    def test_people_get_a_table(self, teller: Cli, data: Path) -> None:
        result = teller("bench", "attributes", "--data", data, "--attribute", "alive")
        assert "66.7%" in result.stdout

    def test_a_folder_of_nothing_known_is_an_error(self, teller: Cli) -> None:
        result = teller("bench", "attributes", "--data", teller.folder)
        assert result.exit_code == 3
        assert "utkface, fer2013, mask or spoof" in result.stderr
