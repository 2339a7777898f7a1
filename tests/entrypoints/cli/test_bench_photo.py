"""``facecv bench photo``: what it reports; how long things take is no matter here."""

import sys
from pathlib import Path

import numpy as np
import pytest

from facecv.core.arrays import Floats
from facecv.core.pack import ModelFile, ModelSpec
from facecv.core.ports.inference_backend import SessionOptions, TensorSpec
from facecv.entrypoints.cli.network_recorder import Published, Recorder, RecordingSession, Run
from facecv.entrypoints.cli.photo_timing import PhotoTimes
from tests.entrypoints.cli.runner import Cli
from tests.fakes.inference_backend import FakeBackend, FakeSession

SPEC = ModelSpec("fake", "fake.onnx", "detection", "fake")


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let insightface be absent."""
    monkeypatch.setitem(sys.modules, "insightface.app", None)


@pytest.mark.usefixtures("alone")
class TestCommand:
    def test_each_photo_is_measured_from_pixels_and_from_its_file(self, cli: Cli) -> None:
        photo = cli.picture("two.png", (10, 10, 80, 10), (200, 20, 60, 90))
        found = cli.json("bench", "photo", photo, "--rounds", 2)
        assert [(one["photo"], one["start"], one["faces"]) for one in found] == [
            ("two.png", "array", 2),
            ("two.png", "file", 2),
        ]
        for one in found:
            assert set(one["milliseconds"]) == {"facecv", "limit", "published"}
            assert one["over_limit"] > 0
            assert one["over_published"] > 0
            assert one["times_faster"] is None

    def test_people_get_a_table_and_hear_what_is_missing(self, cli: Cli) -> None:
        photo = cli.picture("one.png", (10, 10, 80, 10))
        result = cli("bench", "photo", photo, "--rounds", 1)
        assert result.exit_code == 0
        assert "over limit" in result.stdout
        assert "insightface is not installed" in result.stderr

    def test_it_draws(self, cli: Cli) -> None:
        pytest.importorskip("matplotlib")
        photo = cli.picture("one.png", (10, 10, 80, 10))
        assert cli("bench", "photo", photo, "--rounds", 1, "--plot", "a.png").exit_code == 0
        assert (cli.folder / "a.png").read_bytes().startswith(b"\x89PNG")


def test_ratios_are_medians_of_rounds() -> None:
    times = PhotoTimes("a", "array", 1, {"facecv": [2.0, 4.0, 9.0], "limit": [1.0, 2.0, 1.0]})
    assert times.ratio("facecv", "limit") == 2
    assert times.ratio("insightface", "facecv") is None
    assert times.milliseconds("facecv") == 4000


def _noted(seen: list[float], tensor: Floats) -> list[Floats]:
    seen.append(float(tensor[0]))
    return [tensor]


def test_recorded_runs_are_run_again_on_the_same_numbers() -> None:
    seen: list[float] = []
    recorder = Recorder()
    network = FakeSession(
        lambda inputs: _noted(seen, inputs["x"]),
        [TensorSpec("x", (None,), "float32")],
        [],
    )
    session = RecordingSession(ModelFile(Path(), "", SPEC), network, recorder)
    buffer = np.zeros(1, dtype=np.float32)

    def count() -> int:
        buffer[0] += 1
        session.run({"x": buffer})
        return int(buffer[0])

    assert recorder.record(count) == 2
    count()
    recorder.again()
    assert seen == [1, 2, 3, 2]


def test_published_networks_get_numbers_where_ours_takes_bytes(tmp_path: Path) -> None:
    file = ModelFile(tmp_path / "fake.onnx", "", SPEC)
    file.path.write_bytes(b"fake")
    seen: list[float] = []
    spec = TensorSpec("x", (None,), "float32")
    published = FakeSession(lambda inputs: _noted(seen, inputs["x"]), [spec], [])
    runs = [Run(file, FakeSession(lambda _: [], [], []), {"x": np.full(1, 7, np.uint8)})]
    again = Published(FakeBackend(published), SessionOptions()).again(runs)
    assert not seen
    again()
    assert seen == [7.0]
