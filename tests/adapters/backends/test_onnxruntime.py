"""ONNX Runtime: the real one on the CPU, and a stand-in where a GPU would be needed."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import numpy as np
import onnx
import onnxruntime
import pytest
from structlog.testing import capture_logs

from facecv.adapters.backends import engines
from facecv.adapters.backends.gpu import Gpu
from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from facecv.adapters.backends.placement import RECORD, placement_of
from facecv.adapters.backends.providers import CPU, CUDA, TENSORRT, GpuSettings
from facecv.adapters.backends.transfers import PlainTransfers
from facecv.core.errors import (
    DeviceUnavailableError,
    InferenceError,
    ModelError,
    PlacementError,
    RuntimeMissingError,
)
from facecv.core.pack import InputSpec, ModelFile
from facecv.core.ports.inference_backend import Device, Placement, SessionOptions
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
@pytest.mark.parametrize(
    ("device", "settings"),
    [
        ("cuda", GpuSettings()),
        ("cuda", GpuSettings(io_binding=False)),
        ("cuda", GpuSettings(cuda_graphs=True)),
        ("tensorrt", GpuSettings()),
    ],
)
class TestGpuContract(InferenceBackendContract):
    """The same promises on a GPU, where there is one."""

    @pytest.fixture
    def backend(self, device: Device, settings: GpuSettings, tmp_path: Path) -> OnnxRuntimeBackend:
        backend = OnnxRuntimeBackend(engine_cache=tmp_path / "engines", gpu=settings)
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
        assigned: provider to the operators that it gets; None: the build does not tell.
        uncapturable: whether sessions with CUDA graphs are refused.
        loading: called while a session that asks for more than the CPU is made.
        made: keyword arguments of all sessions.
    """

    offered: tuple[str, ...]
    working: tuple[str, ...]
    failure: Exception | None = None
    assigned: Mapping[str, Sequence[str]] | None = None
    uncapturable: bool = False
    loading: Callable[[], object] = int
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
        if arguments["providers"] != [CPU]:
            self.loading()
        if self.failure and arguments["providers"] != [CPU]:
            raise self.failure
        if self.uncapturable and "enable_cuda_graph" in arguments["provider_options"][0]:
            raise RuntimeError("graph capture: not all nodes are on the provider")
        got = [name for name in arguments["providers"] if name in self.working]
        axes = SimpleNamespace(name="x", shape=["N", 3, 112, 112], type="tensor(float)")
        session = SimpleNamespace(
            get_providers=lambda: got, get_inputs=lambda: [axes], get_outputs=list
        )
        if self.assigned is not None:
            recorded = arguments["sess_options"].entries.get(RECORD) == "1"
            session.get_provider_graph_assignment_info = self._subgraphs if recorded else None
        return session

    def _subgraphs(self) -> list[Any]:
        return [
            SimpleNamespace(ep_name=name, get_nodes=lambda one=op: [SimpleNamespace(op_type=one)])
            for name, ops in (self.assigned or {}).items()
            for op in ops
        ]


ALL = (TENSORRT, CUDA, CPU)


def backend(
    runtime: FakeRuntime,
    *,
    gpus: tuple[Gpu, ...] = (H100,),
    cache: Path | None = None,
    settings: GpuSettings | None = None,
) -> OnnxRuntimeBackend:
    return OnnxRuntimeBackend(
        engine_cache=cache,
        gpu=settings,
        runtime=lambda: runtime,
        gpus=lambda: gpus,
        transfers=lambda _: PlainTransfers(),
    )


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


class TestPlacement:
    """Which operators the GPU runs is known, and a convolution on the CPU is no secret."""

    @pytest.mark.parametrize("device", ["cuda", "tensorrt"])
    @pytest.mark.parametrize("op", ["Conv", "Gemm", "MatMul", "ConvTranspose", "QLinearConv"])
    def test_heavy_operators_on_the_cpu_are_an_error(
        self, model: ModelFile, device: Device, op: str
    ) -> None:
        """It names the operator, the share and the setting that allows it."""
        runtime = FakeRuntime(ALL, ALL, assigned={TENSORRT: ["Relu"], CUDA: ["Relu"], CPU: [op]})
        with pytest.raises(PlacementError, match=rf"{op} of 'doubler' .* 33%") as caught:
            backend(runtime).load(model, SessionOptions(device=device))
        assert "allow_cpu_nodes" in caught.value.hint

    def test_unless_they_are_allowed(self, model: ModelFile) -> None:
        """Then the share tells."""
        runtime = FakeRuntime(ALL, ALL, assigned={CUDA: ["Relu"] * 3, CPU: ["Conv"]})
        allowed = GpuSettings(allow_cpu_nodes=True)
        session = backend(runtime, settings=allowed).load(model, SessionOptions(device="cuda"))
        assert session.placement is not None
        assert session.placement.share == 0.75

    def test_shapes_may_be_worked_out_on_the_cpu(self, model: ModelFile) -> None:
        """That is where they belong; the log has them."""
        runtime = FakeRuntime(ALL, ALL, assigned={CUDA: ["Conv"] * 8, CPU: ["Shape", "Gather"]})
        with capture_logs() as logs:
            session = backend(runtime).load(model, SessionOptions(device="cuda"))
        assert session.placement is not None
        assert session.placement.share == 0.8
        assert logs[0]["share"] == 0.8
        assert logs[0]["elsewhere"] == {CPU: ("Gather", "Shape")}

    def test_tensorrt_may_leave_operators_to_cuda(self, model: ModelFile) -> None:
        """They still run on the GPU."""
        runtime = FakeRuntime(ALL, ALL, assigned={TENSORRT: ["Conv"], CUDA: ["Conv"]})
        session = backend(runtime).load(model, SessionOptions(device="tensorrt"))
        assert session.placement is not None
        assert session.placement.share == 0.5

    def test_an_older_library_does_not_tell(self, model: ModelFile) -> None:
        """Nothing is claimed then."""
        session = backend(FakeRuntime(ALL, ALL)).load(model, SessionOptions(device="cuda"))
        assert session.placement is None

    def test_the_cpu_runs_everything(self, model: ModelFile) -> None:
        """And ONNX Runtime's own record says the same."""
        session = OnnxRuntimeBackend().load(model, SessionOptions(device="cpu"))
        assert session.placement == Placement(1.0)
        settings = onnxruntime.SessionOptions()
        settings.add_session_config_entry(RECORD, "1")
        real = onnxruntime.InferenceSession(str(model.path), settings, providers=[CPU])
        elsewhere = placement_of(real, CUDA)
        assert elsewhere is not None
        assert elsewhere.share == 0
        assert list(elsewhere.elsewhere) == [CPU]


class TestCudaGraphs:
    def test_are_asked_for(self, model: ModelFile) -> None:
        """Only where they were configured."""
        runtime = FakeRuntime(ALL, ALL)
        for settings in (GpuSettings(), GpuSettings(cuda_graphs=True)):
            backend(runtime, settings=settings).load(model, SessionOptions(device="cuda"))
        assert ["enable_cuda_graph" in made["provider_options"][0] for made in runtime.made] == [
            False,
            True,
        ]

    def test_a_network_that_cannot_be_recorded_runs_without(self, model: ModelFile) -> None:
        """The log says why."""
        runtime = FakeRuntime(ALL, ALL, uncapturable=True)
        engine = backend(runtime, settings=GpuSettings(cuda_graphs=True))
        with capture_logs() as logs:
            session = engine.load(model, SessionOptions(device="cuda"))
        assert session.provider == CUDA
        assert "graph capture" in logs[0]["why"]

    def test_one_thread_loads_all_networks(self, model: ModelFile) -> None:
        """Memory of the GPU must not be asked for elsewhere while another network is recorded."""
        loaders: set[int] = set()
        runtime = FakeRuntime(ALL, ALL, loading=lambda: loaders.add(threading.get_ident()))
        engine = backend(runtime, settings=GpuSettings(cuda_graphs=True))
        with ThreadPoolExecutor(2) as pool:
            options = SessionOptions(device="cuda")
            list(pool.map(lambda _: engine.load(model, options), range(4)))
        assert len(loaders) == 1


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
        folder = _built(runtime, model, tmp_path)
        (folder / "some.engine").touch()
        with capture_logs() as logs:
            assert _built(runtime, model, tmp_path) == folder
        assert [entry["cached"] for entry in logs if "cached" in entry] == [True]
        assert not [entry for entry in logs if "minutes" in entry["event"]]

    def test_half_an_engine_is_built_anew(self, model: ModelFile, tmp_path: Path) -> None:
        """What was being written when the process was killed would fail for ever after."""
        runtime = FakeRuntime(ALL, ALL, failure=RuntimeError("no memory"))
        with pytest.raises(DeviceUnavailableError):
            _built(runtime, model, tmp_path)
        folder = Path(runtime.made[-1]["provider_options"][0]["trt_engine_cache_path"])
        (folder / "half.engine").touch()
        runtime.failure = None
        with capture_logs() as logs:
            _built(runtime, model, tmp_path)
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
            _built(runtime, model, tmp_path)
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


class TestPixels:
    """A GPU is given bytes, and normalises them."""

    OPTIONS = SessionOptions(device="cuda", pixels=InputSpec(mean=10.0, std=4.0))

    @pytest.mark.parametrize("device", ["cuda", "tensorrt"])
    def test_are_normalised_on_the_gpu(self, model: ModelFile, device: Device) -> None:
        """What is loaded is not the file, but a network whose input takes bytes."""
        runtime = FakeRuntime(ALL, ALL)
        backend(runtime).load(model, attrs.evolve(self.OPTIONS, device=device))
        network = onnx.load_from_string(runtime.made[-1]["path"])
        assert network.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
        assert [node.op_type for node in network.graph.node] == ["Cast", "Sub", "Div", "Add"]

    @pytest.mark.parametrize(
        "options", [SessionOptions(device="cuda"), attrs.evolve(OPTIONS, device="cpu")]
    )
    def test_otherwise_the_file_is_loaded(self, model: ModelFile, options: SessionOptions) -> None:
        """Where nobody said how, and on the CPU, where it does not pay."""
        runtime = FakeRuntime(ALL, ALL)
        backend(runtime).load(model, options)
        assert runtime.made[-1]["path"] == str(model.path)

    def test_a_gpu_that_does_not_take_it_gets_the_file(self, model: ModelFile) -> None:
        """And the log says why."""

        class Picky(FakeRuntime):
            def InferenceSession(self, path: Any, **arguments: Any) -> Any:  # noqa: N802
                if isinstance(path, bytes):
                    raise NotImplementedError("no kernel for Cast(13)")
                return super().InferenceSession(path, **arguments)

        runtime = Picky(ALL, ALL)
        with capture_logs() as logs:
            session = backend(runtime).load(model, self.OPTIONS)
        assert session.provider == CUDA
        assert "no kernel" in logs[0]["why"]

    def test_engines_of_both_are_kept_apart(self, model: ModelFile, tmp_path: Path) -> None:
        """Or one would be taken for the other, and its build not be announced."""
        runtime = FakeRuntime(ALL, ALL)
        folder = _built(runtime, model, tmp_path)
        options = attrs.evolve(self.OPTIONS, device="tensorrt")
        backend(runtime, cache=tmp_path).load(model, options)
        other = runtime.made[-1]["provider_options"][0]["trt_engine_cache_path"]
        assert "_u8-10-4_" in Path(other).name
        assert Path(other).name.replace("_u8-10-4", "") == folder.name


def _built(runtime: FakeRuntime, model: ModelFile, cache: Path) -> Path:
    """Return the folder of the engine that was built or found."""
    backend(runtime, cache=cache).load(model, SessionOptions(device="tensorrt"))
    return Path(runtime.made[-1]["provider_options"][0]["trt_engine_cache_path"])


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
