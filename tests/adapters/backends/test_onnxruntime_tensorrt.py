"""TensorRT by ONNX Runtime: engines, their cache and their limits, with a stand-in."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from facecv.adapters.backends import engines
from facecv.adapters.backends.providers import CPU, CUDA, TENSORRT, GpuSettings
from facecv.core.errors import (
    DeviceUnavailableError,
    InferenceError,
)
from facecv.core.pack import ModelFile
from facecv.core.ports.inference_backend import SessionOptions
from tests.adapters.backends.fake_runtime import ALL, FakeRuntime, backend, built


class TestTensorrt:
    def test_engines_are_kept_and_shapes_are_free(self, model: ModelFile, tmp_path: Path) -> None:
        """The cache is the model's and the GPU's own; profiles cover the batch asked for."""
        runtime = FakeRuntime(ALL, ALL)
        with capture_logs() as logs:
            session = backend(runtime, cache=tmp_path / "engines").load(
                model, SessionOptions(device="tensorrt", max_batch=32)
            )
        assert session.provider == TENSORRT
        made = runtime.made[-1]
        assert made["providers"] == [TENSORRT, CUDA, CPU]
        options = made["provider_options"][0]
        assert options["trt_fp16_enable"] == "True"
        assert options["trt_profile_max_shapes"] == "x:32x3x112x112"
        folder = Path(options["trt_engine_cache_path"])
        assert folder.is_dir()
        assert model.sha256[:16] in folder.parts
        assert "NVIDIA-H100" in folder.name
        assert "minutes" in logs[0]["event"]
        assert logs[-1]["cache"] == str(folder)

    def test_an_engine_in_the_cache_is_not_announced_as_a_build(
        self, model: ModelFile, tmp_path: Path
    ) -> None:
        """The second start is quick."""
        runtime = FakeRuntime(ALL, ALL)
        folder = built(runtime, model, tmp_path)
        (folder / "some.engine").touch()
        with capture_logs() as logs:
            assert built(runtime, model, tmp_path) == folder
        assert [entry["cached"] for entry in logs if "cached" in entry] == [True]
        assert not [entry for entry in logs if "minutes" in entry["event"]]

    def test_half_an_engine_is_built_anew(self, model: ModelFile, tmp_path: Path) -> None:
        """What was being written when the process was killed would fail for ever after."""
        runtime = FakeRuntime(ALL, ALL, failure=RuntimeError("no memory"))
        with pytest.raises(DeviceUnavailableError):
            built(runtime, model, tmp_path)
        folder = Path(runtime.made[-1]["provider_options"][0]["trt_engine_cache_path"])
        (folder / "half.engine").touch()
        runtime.failure = None
        with capture_logs() as logs:
            built(runtime, model, tmp_path)
        assert [entry["cached"] for entry in logs if "cached" in entry] == [False]
        assert not (folder / "half.engine").exists()

    def test_a_long_build_tells_that_it_goes_on(
        self, model: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nobody thinks it hangs; when it is over, nothing more is said."""
        monkeypatch.setattr(engines, "_TELL_EVERY", 0.01)
        told = threading.Event()
        runtime = FakeRuntime(ALL, ALL, loading=lambda: told.wait(10))

        def note(_: Any, __: str, entry: Any) -> Any:
            if "still" in entry["event"]:
                told.set()
            return entry

        with capture_logs(processors=[note]) as logs:
            built(runtime, model, tmp_path)
        assert told.is_set()
        assert "ready" in logs[-1]["event"]

    def test_what_is_too_large_for_the_engine_is_refused(
        self, model: ModelFile, tmp_path: Path
    ) -> None:
        """With the sizes and what to do, where TensorRT would only say that it failed."""
        session = backend(
            FakeRuntime(ALL, ALL), cache=tmp_path, settings=GpuSettings(io_binding=False)
        ).load(model, SessionOptions(device="tensorrt", max_batch=2))
        with pytest.raises(InferenceError, match=r"3x3x112x112.* 2x3x112x112") as caught:
            session.run({"x": np.zeros((3, 3, 112, 112), np.float32)})
        assert "max_side" in caught.value.hint
