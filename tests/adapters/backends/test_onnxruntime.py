"""ONNX Runtime: the real one on the CPU, and a stand-in where a GPU would be needed."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
from structlog.testing import capture_logs

from facecv.adapters.backends.gpu import Gpu
from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from facecv.adapters.backends.providers import CPU, CUDA, TENSORRT
from facecv.core.errors import DeviceUnavailableError, ModelError, RuntimeMissingError
from facecv.core.pack import ModelFile
from facecv.core.ports.inference_backend import Device, SessionOptions
from facecv.plugins.contracts.inference_backend import InferenceBackendContract
from tests import graphs

H100 = Gpu("NVIDIA H100", "9.0")


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


@pytest.mark.gpu
@pytest.mark.parametrize("device", ["cuda", "tensorrt"])
class TestGpuContract(InferenceBackendContract):
    """The same promises on a GPU, where there is one."""

    @pytest.fixture
    def backend(self, device: Device, tmp_path: Path) -> OnnxRuntimeBackend:
        backend = OnnxRuntimeBackend(engine_cache=tmp_path / "engines")
        devices = backend.describe().get("devices")
        obstacle = devices[device] if isinstance(devices, dict) else "no ONNX Runtime"
        if obstacle != "available":
            pytest.skip(f"{device}: {obstacle}")
        return backend

    @pytest.fixture
    def doubler(self, tmp_path: Path) -> ModelFile:
        return graphs.doubler(tmp_path)

    @pytest.fixture
    def options(self, device: Device) -> SessionOptions:
        return SessionOptions(device=device, threads=1)


@attrs.define
class FakeRuntime:
    """Stands in for the package ``onnxruntime``.

    Attributes:
        offered: providers that the build claims to have.
        working: providers that sessions really get.
        failure: raised by every session that asks for more than the CPU.
        made: keyword arguments of all sessions.
    """

    offered: tuple[str, ...]
    working: tuple[str, ...]
    failure: Exception | None = None
    made: list[dict[str, Any]] = attrs.field(factory=list)
    preloaded: int = 0
    ExecutionMode: Any = attrs.field(factory=lambda: SimpleNamespace(ORT_SEQUENTIAL=0))
    __version__: str = "1.31.0"

    def get_available_providers(self) -> list[str]:
        return list(self.offered)

    def preload_dlls(self) -> None:
        self.preloaded += 1

    def SessionOptions(self) -> Any:  # noqa: N802 - the library's name
        entries: dict[str, str] = {}
        return SimpleNamespace(entries=entries, add_session_config_entry=entries.__setitem__)

    def InferenceSession(self, path: str, **arguments: Any) -> Any:  # noqa: N802
        self.made.append({"path": path, **arguments})
        if self.failure and arguments["providers"] != [CPU]:
            raise self.failure
        got = [name for name in arguments["providers"] if name in self.working]
        axes = SimpleNamespace(name="x", shape=["N", 3, 112, 112], type="tensor(float)")
        return SimpleNamespace(
            get_providers=lambda: got, get_inputs=lambda: [axes], get_outputs=list
        )


ALL = (TENSORRT, CUDA, CPU)


def backend(
    runtime: FakeRuntime, *, gpus: tuple[Gpu, ...] = (H100,), cache: Path | None = None
) -> OnnxRuntimeBackend:
    return OnnxRuntimeBackend(engine_cache=cache, runtime=lambda: runtime, gpus=lambda: gpus)


@pytest.fixture
def model(tmp_path: Path) -> ModelFile:
    return graphs.doubler(tmp_path)


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
        with pytest.raises(DeviceUnavailableError, match="no NVIDIA GPU"):
            backend(FakeRuntime(ALL, ALL), gpus=()).load(model, SessionOptions(device="cuda"))

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
        ],
    )
    def test_falls_back_and_says_why(
        self, model: ModelFile, runtime: FakeRuntime, gpus: tuple[Gpu, ...], reason: str
    ) -> None:
        """Only auto may; the log has the reason."""
        with capture_logs() as logs:
            session = backend(runtime, gpus=gpus).load(model, SessionOptions())
        assert session.provider == CPU
        (entry,) = logs
        assert entry["device"] == "cpu"
        assert reason in entry["reason"]

    def test_a_damaged_file_is_no_reason_to_fall_back(self, model: ModelFile) -> None:
        """It would not work on the CPU either."""

        class InvalidProtobuf(Exception):  # noqa: N818 - the library's name
            pass

        runtime = FakeRuntime(ALL, ALL, failure=InvalidProtobuf("parsing failed"))
        with pytest.raises(ModelError, match="parsing failed"):
            backend(runtime).load(model, SessionOptions())


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
        options = SessionOptions(device="tensorrt")
        backend(runtime, cache=tmp_path).load(model, options)
        folder = Path(runtime.made[-1]["provider_options"][0]["trt_engine_cache_path"])
        (folder / "some.engine").touch()
        with capture_logs() as logs:
            backend(runtime, cache=tmp_path).load(model, options)
        assert [entry["cached"] for entry in logs] == [True]


class TestSettings:
    @pytest.mark.parametrize(("threads", "spinning"), [(3, False), (1, True)])
    def test_threads_and_spinning(self, model: ModelFile, threads: int, *, spinning: bool) -> None:
        """What is asked for reaches the library."""
        runtime = FakeRuntime((CPU,), (CPU,))
        engine = OnnxRuntimeBackend(spinning=spinning, runtime=lambda: runtime, gpus=tuple)
        engine.load(model, SessionOptions(device="cpu", threads=threads))
        settings = runtime.made[0]["sess_options"]
        assert settings.intra_op_num_threads == threads
        assert settings.inter_op_num_threads == 1
        expected = {"session.intra_op.allow_spinning": str(int(spinning))}
        assert settings.entries == expected

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
