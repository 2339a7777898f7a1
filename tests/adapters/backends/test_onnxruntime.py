"""ONNX Runtime: the real one on the CPU, and which device a stand-in is asked for."""

import os
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from facecv.adapters.backends.gpu import Gpu
from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from facecv.adapters.backends.providers import CPU, CUDA
from facecv.core.errors import (
    DeviceUnavailableError,
    ModelError,
    RuntimeMissingError,
)
from facecv.core.pack import ModelFile
from facecv.core.ports.inference_backend import Device, SessionOptions
from facecv.plugins.contracts.inference_backend import InferenceBackendContract
from tests import graphs
from tests.adapters.backends.fake_runtime import ALL, H100, FakeRuntime, backend


class TestOnnxRuntimeContract(InferenceBackendContract):
    @pytest.fixture
    def backend(self) -> OnnxRuntimeBackend:
        return OnnxRuntimeBackend()

    @pytest.fixture
    def doubler(self, tmp_path: Path) -> ModelFile:
        return graphs.doubler(tmp_path)

    def test_says_what_runs_it(self, backend: OnnxRuntimeBackend, doubler: ModelFile) -> None:
        """The provider is the session's own word; a device that was asked for is not logged."""
        with capture_logs() as logs:
            session = backend.load(doubler, SessionOptions(device="cpu"))
        assert session.provider == CPU
        assert logs == []


class TestDevices:
    @pytest.mark.parametrize("device", ["cuda", "tensorrt"])
    def test_a_build_without_the_provider(self, model: ModelFile, device: Device) -> None:
        """The error names the provider that is missing and the extra that brings it."""
        runtime = FakeRuntime((CPU,), (CPU,))
        with pytest.raises(DeviceUnavailableError, match=r"has no .*ExecutionProvider") as caught:
            backend(runtime).load(model, SessionOptions(device=device))
        assert f"facecv[{device}]" in caught.value.hint
        assert runtime.made == []

    def test_no_gpu(self, model: ModelFile) -> None:
        """The build could, the machine cannot."""
        with pytest.raises(DeviceUnavailableError, match="no NVIDIA GPU") as caught:
            backend(FakeRuntime(ALL, ALL), gpus=()).load(model, SessionOptions(device="cuda"))
        assert "nvidia-smi" in caught.value.hint
        assert "pip" not in caught.value.hint

    @pytest.mark.parametrize("device", ["cuda", "tensorrt"])
    def test_a_provider_that_is_left_out_silently(self, model: ModelFile, device: Device) -> None:
        """ONNX Runtime goes on with the CPU when a library is missing; we do not."""
        runtime = FakeRuntime(ALL, (CPU,))
        with pytest.raises(DeviceUnavailableError, match=r"library|driver"):
            backend(runtime).load(model, SessionOptions(device=device))

    def test_tensorrt_must_not_become_cuda(self, model: ModelFile) -> None:
        """A second provider that works is not the one that was asked for."""
        runtime = FakeRuntime(ALL, (CUDA, CPU))
        with pytest.raises(DeviceUnavailableError, match="tensorrt"):
            backend(runtime).load(model, SessionOptions(device="tensorrt"))

    def test_a_provider_that_fails(self, model: ModelFile) -> None:
        """What it said is passed on."""
        runtime = FakeRuntime(ALL, ALL, failure=RuntimeError("CUDA failure 35: old driver"))
        with pytest.raises(DeviceUnavailableError, match="old driver"):
            backend(runtime).load(model, SessionOptions(device="cuda"))

    def test_cuda(self, model: ModelFile) -> None:
        """It runs first, the CPU helps out, and no fall-back of the library is left on."""
        runtime = FakeRuntime(ALL, ALL)
        session = backend(runtime).load(model, SessionOptions(device="cuda"))
        assert session.provider == CUDA
        assert runtime.preloaded == 1
        (made,) = runtime.made
        assert made["providers"] == [CUDA, CPU]
        assert made["enable_fallback"] == 0


class TestAuto:
    def test_takes_the_gpu(self, model: ModelFile) -> None:
        """And says so."""
        with capture_logs() as logs:
            session = backend(FakeRuntime(ALL, ALL)).load(model, SessionOptions())
        assert session.provider == CUDA
        assert logs[0]["device"] == "cuda"

    @pytest.mark.parametrize(
        ("runtime", "gpus", "reason"),
        [
            (FakeRuntime((CPU,), (CPU,)), (H100,), "has no CUDAExecutionProvider"),
            (FakeRuntime(ALL, ALL), (), "no NVIDIA GPU"),
            (FakeRuntime(ALL, (CPU,)), (H100,), "cannot be used"),
            (FakeRuntime(ALL, ALL, failure=RuntimeError("broken")), (H100,), "broken"),
            (FakeRuntime(ALL, ALL, assigned={CPU: ["Conv"], CUDA: ["Add"]}), (H100,), "Conv"),
        ],
    )
    def test_falls_back_and_says_why(
        self, model: ModelFile, runtime: FakeRuntime, gpus: tuple[Gpu, ...], reason: str
    ) -> None:
        """Only auto may; the log has the reason."""
        with capture_logs() as logs:
            session = backend(runtime, gpus=gpus).load(model, SessionOptions())
        assert session.provider == CPU
        entry = logs[-1]
        assert entry["device"] == "cpu"
        assert reason in entry["reason"]

    def test_a_damaged_file_is_no_reason_to_fall_back(self, model: ModelFile) -> None:
        """It would not work on the CPU either."""

        class InvalidProtobuf(Exception):  # noqa: N818 - the library's name
            pass

        runtime = FakeRuntime(ALL, ALL, failure=InvalidProtobuf("parsing failed"))
        with pytest.raises(ModelError, match="parsing failed"):
            backend(runtime).load(model, SessionOptions())


class TestSettings:
    @pytest.mark.parametrize("threads", [1, 3])
    def test_threads(self, model: ModelFile, threads: int) -> None:
        """What is asked for reaches the library."""
        runtime = FakeRuntime((CPU,), (CPU,))
        engine = OnnxRuntimeBackend(runtime=lambda: runtime, gpus=tuple)
        engine.load(model, SessionOptions(device="cpu", threads=threads))
        settings = runtime.made[0]["sess_options"]
        assert settings.intra_op_num_threads == threads
        assert settings.inter_op_num_threads == 1

    @pytest.mark.parametrize(
        ("crowded", "size", "threads"),
        [(True, 5_000_000, 1), (True, 5_000_001, 7), (False, 5_000_000, 7)],
    )
    def test_small_networks_of_a_server_run_on_one_thread(
        self,
        model: ModelFile,
        monkeypatch: pytest.MonkeyPatch,
        *,
        crowded: bool,
        size: int,
        threads: int,
    ) -> None:
        """Other runs keep the other cores busy; a large network is split all the same."""
        monkeypatch.setattr("facecv.adapters.backends.opening.available_cores", lambda: 7)
        os.truncate(model.path, size)
        runtime = FakeRuntime((CPU,), (CPU,))
        engine = OnnxRuntimeBackend(runtime=lambda: runtime, gpus=tuple)
        engine.load(model, SessionOptions(device="cpu", crowded=crowded))
        assert runtime.made[0]["sess_options"].intra_op_num_threads == threads

    @pytest.mark.parametrize(
        ("version", "wanted", "crowded", "spins"),
        [
            ("1.26.0", True, False, True),
            ("2.0.0.dev3", True, False, True),
            ("1.25.1", True, False, False),
            ("1.26.0", False, False, False),
            ("1.26.0", True, True, False),
        ],
    )
    def test_threads_spin_only_briefly_and_alone(
        self, model: ModelFile, version: str, *, wanted: bool, crowded: bool, spins: bool
    ) -> None:
        """Versions that would spin for long do not; nor do servers."""
        runtime = FakeRuntime((CPU,), (CPU,))
        runtime.__version__ = version
        engine = OnnxRuntimeBackend(spinning=wanted, runtime=lambda: runtime, gpus=tuple)
        engine.load(model, SessionOptions(device="cpu", crowded=crowded))
        entries = runtime.made[0]["sess_options"].entries
        assert entries["session.intra_op.allow_spinning"] == str(int(spins))
        assert ("session.intra_op.spin_duration_us" in entries) == spins

    def test_the_cpu_does_not_ask_the_driver(self, model: ModelFile) -> None:
        """No GPU is woken up for nothing."""

        def forbidden() -> tuple[Gpu, ...]:
            raise AssertionError

        runtime = FakeRuntime(ALL, ALL)
        engine = OnnxRuntimeBackend(runtime=lambda: runtime, gpus=forbidden)
        assert engine.load(model, SessionOptions(device="cpu")).provider == CPU
        assert runtime.preloaded == 0


class TestDescribe:
    def test_lists_devices_and_what_speaks_against_them(self) -> None:
        """For the doctor."""
        facts = backend(FakeRuntime((CUDA, CPU), ALL)).describe()
        devices = facts["devices"]
        assert isinstance(devices, dict)
        assert devices["cpu"] == devices["cuda"] == "available"
        assert "TensorrtExecutionProvider" in devices["tensorrt"]
        assert facts["gpus"] == ["NVIDIA H100 (9.0)"]

    def test_a_missing_runtime_is_a_fact(self) -> None:
        """It does not raise."""

        def missing() -> Any:
            raise RuntimeMissingError("not installed", hint="install it")

        facts = OnnxRuntimeBackend(runtime=missing, gpus=tuple).describe()
        assert facts["problem"] == "not installed (install it)"
