"""``facecv tune`` over backends that are there and one that is not."""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from facecv.core.errors import RuntimeMissingError
from facecv.core.ports.inference_backend import InferenceBackend
from facecv.core.services.tune import Candidate
from facecv.entrypoints.bootstrap import Builder
from facecv.entrypoints.cli import tune_ways
from facecv.plugins import Provider, hookimpl
from tests.entrypoints.cli.runner import Cli


class AbsentPlugin:
    """A backend that is registered, and whose library is not installed."""

    @hookimpl
    def facecv_register_backends(self) -> Iterable[Provider[InferenceBackend]]:
        return [Provider("absent", _refuse)]


def _refuse(request: object) -> InferenceBackend:
    raise RuntimeMissingError("it is not installed")


def words(cli: Cli) -> list[object]:
    return ["tune", cli.picture("a.png", (0, 0, 60, 80)), "--rounds", 1]


def answer(cli: Cli, *more: object) -> Any:
    return cli.json(*words(cli), *more)


class TestTune:
    def test_measures_every_way(self, cli: Cli) -> None:
        """The one in use stands first; input sizes are measured with the fastest."""
        found = answer(cli)
        first = found["ways"][0]
        assert first["backend"] == "onnxruntime"
        assert first["cosine"] == pytest.approx(1, abs=1e-4)
        assert set(first["embed_ms"]) == {"1", "2", "4", "8", "16", "32"}
        assert [row["input_size"] for row in found["input_sizes"]] == [320, 480, 640]
        assert found["compared_faces"] == 1
        best = set(found["fastest"]) - {"backends.openvino.precision"}
        assert best == {"backend", "threads", "embedders.arcface.batch_size"}

    def test_every_precision_of_a_backend_is_a_way(self, cli: Cli) -> None:
        """Where its settings offer several."""
        ways = answer(cli)["ways"]
        found = {way["precision"] for way in ways if way["backend"] == "openvino"}
        assert found == {"f32", "bf16", "f16"}

    def test_variants_that_were_made_are_ways_too(self, cli: Cli, shared: Path) -> None:
        """On every backend; an embedder of another space cannot win."""
        names = ("--pack", "nano", "--detector", "det_nano", "--embedder", "embed_nano")
        photos = shared / "data/people"
        for model in names[3::2]:
            bars = ("--min-cosine", -1, "--min-overlap", 0, "--samples", 4)
            made = cli("models", "quantize", model, "--calibrate", photos, *names, *bars)
            assert made.exit_code == 0, made.output
        ways = answer(cli, *names)["ways"]
        found = [(way["backend"], *way["models"]) for way in ways if way["models"]]
        assert found == [
            (backend, f"{model}-int8")
            for model in ("det_nano", "embed_nano")
            for backend in ("onnxruntime", "openvino")
        ]
        assert [way["same_space"] for way in ways[-4:]] == [True, True, False, False]

    def test_writes_the_fastest_beside_what_is_there(
        self, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Other settings stay."""
        monkeypatch.chdir(cli.folder)
        file = cli.folder / "facecv.toml"
        file.write_text('collection = "staff"  # of the house\n', encoding="utf-8")
        found = answer(cli, "--write")
        written = tomllib.loads(file.read_text(encoding="utf-8"))
        assert written["collection"] == "staff"
        assert written["backend"] == found["fastest"]["backend"]
        batch = found["fastest"]["embedders.arcface.batch_size"]
        assert written["embedders"]["arcface"]["batch_size"] == batch

    def test_the_table(self, cli: Cli) -> None:
        """For people."""
        result = cli(*words(cli), "--faces", 3)
        assert result.exit_code == 0
        assert "3 faces" in result.stdout
        assert "cosines of 1 face of the picture" in result.stdout
        assert "fastest" in result.stdout


class TestDevices:
    """Of a machine with a GPU; on this one, all of them run on the CPU."""

    @pytest.fixture(autouse=True)
    def gpu(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def describe(_: object) -> dict[str, object]:
            return {"devices": {"cpu": "available", "cuda": "available", "tensorrt": "available"}}

        real: Callable[[Builder, Mapping[str, Any]], Candidate] = tune_ways._candidate

        def candidate(builder: Builder, settings: Mapping[str, Any]) -> Candidate:
            made = real(builder, {**settings, "device": "cpu"})
            return attrs.evolve(made, settings=settings)

        monkeypatch.setattr(OnnxRuntimeBackend, "describe", describe)
        monkeypatch.setattr(tune_ways, "_candidate", candidate)

    def test_all_are_measured_where_the_choice_is_left_open(self, cli: Cli) -> None:
        """What 'auto' takes, CUDA, stands first; a GPU is measured with one number of threads."""
        ways = [way for way in answer(cli)["ways"] if way["backend"] == "onnxruntime"]
        devices = [way["device"] for way in ways]
        assert devices[0] is None
        assert set(devices[1:]) == {"cpu", "tensorrt"}
        assert devices.count("tensorrt") == 1
        assert "onnxruntime, tensorrt" in cli(*words(cli)).stdout

    def test_one_that_was_chosen_stays(self, cli: Cli) -> None:
        """Nothing else is measured, and nothing about it is written."""
        found = answer(cli, "--device", "cpu")
        assert {way["device"] for way in found["ways"]} == {None}
        assert "device" not in found["fastest"]


class TestBackendsThatAreNotThere:
    def test_are_left_out_with_a_remark(self, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        """Their library may be missing; that is no error."""
        real: Callable[[Builder, Mapping[str, Any]], Candidate] = tune_ways._candidate

        def candidate(builder: Builder, settings: Mapping[str, Any]) -> Candidate:
            builder.build("backends", settings["backend"])
            return real(builder, settings)

        monkeypatch.setattr(tune_ways, "_candidate", candidate)
        cli.plugins.append(AbsentPlugin())
        result = cli(*words(cli))
        assert result.exit_code == 0, result.output
        assert "absent: it is not installed" in result.stderr
        assert "absent" not in result.stdout
