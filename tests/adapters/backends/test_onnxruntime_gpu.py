"""ONNX Runtime on a GPU: a real one where there is one, otherwise a stand-in."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
import onnx
import onnxruntime
import pytest
from structlog.testing import capture_logs

from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from facecv.adapters.backends.placement import RECORD, placement_of
from facecv.adapters.backends.providers import CPU, CUDA, TENSORRT, GpuSettings
from facecv.core.errors import PlacementError
from facecv.core.pack import InputSpec, ModelFile
from facecv.core.ports.inference_backend import Device, Placement, SessionOptions
from facecv.plugins.contracts.inference_backend import InferenceBackendContract
from tests import graphs
from tests.adapters.backends.fake_runtime import ALL, FakeRuntime, backend, built


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
        folder = built(runtime, model, tmp_path)
        options = attrs.evolve(self.OPTIONS, device="tensorrt")
        backend(runtime, cache=tmp_path).load(model, options)
        other = runtime.made[-1]["provider_options"][0]["trt_engine_cache_path"]
        assert "_u8-10-4_" in Path(other).name
        assert Path(other).name.replace("_u8-10-4", "") == folder.name
