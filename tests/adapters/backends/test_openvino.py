"""OpenVINO: the contract of backends, and agreement with ONNX Runtime on real networks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from facecv.adapters.backends.openvino import OpenVinoBackend
from facecv.adapters.backends.openvino_session import OpenVinoSession
from facecv.adapters.detectors.scrfd import Scrfd
from facecv.adapters.embedders.arcface import ArcFace
from facecv.core.errors import DeviceUnavailableError, RuntimeMissingError
from facecv.core.pack import ModelFile
from facecv.core.ports.detector import DetectorOptions
from facecv.core.ports.inference_backend import Device, Session, SessionOptions
from facecv.plugins.contracts.inference_backend import InferenceBackendContract
from tests import graphs
from tests.real_models import CPU, RealModels, aligned


@pytest.fixture
def backend(tmp_path: Path) -> OpenVinoBackend:
    pytest.importorskip("openvino", reason="the extra openvino is not installed")
    return OpenVinoBackend(cache_dir=tmp_path / "compiled")


class TestOpenVinoContract(InferenceBackendContract):
    @pytest.fixture
    def backend(self, backend: OpenVinoBackend) -> OpenVinoBackend:
        return backend

    @pytest.fixture
    def doubler(self, tmp_path: Path) -> ModelFile:
        return graphs.doubler(tmp_path)

    def test_outputs_are_the_callers(self, backend: OpenVinoBackend, doubler: ModelFile) -> None:
        """A later run does not write over what an earlier one gave."""
        session = backend.load(doubler, CPU)
        (first,) = session.run({"x": np.ones((1, 2), np.float32)})
        session.run({"x": np.zeros((1, 2), np.float32)})
        assert first.tolist() == [[2, 2]]


class TestSettings:
    def test_reach_the_library(self, doubler: ModelFile) -> None:
        """Threads, precision and cache are what was asked for; latency comes first."""
        seen: dict[str, Any] = {}

        class Runtime:
            class Core:
                def read_model(self, path: str) -> str:
                    return path

                def compile_model(self, network: str, device: str, settings: Any) -> Any:
                    seen.update(settings, device=device)
                    raise RuntimeError

        backend = OpenVinoBackend(cache_dir=Path("here"), precision="bf16", runtime=Runtime)
        with pytest.raises(Exception, match="doubler"):
            backend.load(doubler, SessionOptions(device="cpu", threads=3))
        assert seen == {
            "device": "CPU",
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": 3,
            "INFERENCE_PRECISION_HINT": "bf16",
            "ENABLE_CPU_PINNING": False,
            "CACHE_DIR": "here",
        }

    @pytest.fixture
    def doubler(self, tmp_path: Path) -> ModelFile:
        return graphs.doubler(tmp_path)


class Compiled:
    """A compiled network that notes the shapes it is run on."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled
        self.shapes: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._compiled, name)

    def create_infer_request(self) -> Any:
        request, shapes = self._compiled.create_infer_request(), self.shapes

        class Request:
            get_output_tensor = request.get_output_tensor

            def infer(self, inputs: Any, **options: Any) -> None:
                shapes.append(next(iter(inputs.values())).shape)
                request.infer(inputs, **options)

        return Request()


class TestCopies:
    """A network that takes pictures of any size is compiled more than once."""

    @staticmethod
    def opened(model: ModelFile) -> tuple[OpenVinoSession, list[Compiled]]:
        """Return a session, and the copies of its network as they are made."""
        openvino = pytest.importorskip("openvino", reason="the extra openvino is not installed")
        core, made = openvino.Core(), list[Compiled]()

        def compile_network() -> Compiled:
            made.append(Compiled(core.compile_model(str(model.path), "CPU")))
            return made[-1]

        return OpenVinoSession(compile_network), made

    @staticmethod
    def look(session: OpenVinoSession, sides: Sequence[int]) -> None:
        """Run a detector on pictures of these sides, and check that it saw all of each."""
        for side in sides:
            outputs = session.run({"input.1": np.zeros((1, 3, side, side), np.float32)})
            assert max(map(len, outputs)) == 2 * (side // 8) ** 2

    def test_each_keeps_to_one_size(self, tmp_path: Path) -> None:
        """So that two sizes in turn do not make it prepare itself anew each time."""
        session, made = self.opened(graphs.scrfd(tmp_path))
        self.look(session, [64, 96] * 10)
        for copy in made:
            copy.shapes.clear()
        self.look(session, [64, 96] * 10)
        assert [{shape[-1] for shape in copy.shapes} for copy in made] == [{64}, {96}]

    def test_are_not_made_for_a_few_pictures(self, tmp_path: Path) -> None:
        """They take as long as some thirty of them."""
        session, made = self.opened(graphs.scrfd(tmp_path))
        self.look(session, [64, 96, 64, 96, 128])
        assert len(made) == 1

    def test_are_four_at_most(self, tmp_path: Path) -> None:
        """One whose size was not seen for long takes a new size."""
        session, made = self.opened(graphs.scrfd(tmp_path))
        self.look(session, [64, 96, 128, 160, 192, 224] * 10)
        assert len(made) == 4

    def test_numbers_of_pictures_need_none(self, tmp_path: Path) -> None:
        """A network of crops is compiled once."""
        session, made = self.opened(graphs.arcface(tmp_path))
        for count in (1, 2, 1):
            session.run({"data": np.zeros((count, 3, 112, 112), np.float32)})
        assert len(made) == 1


class TestObstacles:
    @pytest.mark.parametrize("device", ["cuda", "tensorrt"])
    def test_other_devices_are_refused(self, tmp_path: Path, device: Device) -> None:
        """Never the CPU in silence."""
        with pytest.raises(DeviceUnavailableError, match=device):
            OpenVinoBackend().load(graphs.doubler(tmp_path), SessionOptions(device=device))

    def test_without_the_package(self, tmp_path: Path) -> None:
        """The error names the extra; the doctor sees the same."""

        def missing() -> Any:
            raise RuntimeMissingError("no OpenVINO", hint="pip install 'facecv[openvino]'")

        backend = OpenVinoBackend(runtime=missing)
        with pytest.raises(RuntimeMissingError):
            backend.load(graphs.doubler(tmp_path), CPU)
        assert "facecv[openvino]" in str(backend.describe()["problem"])

    def test_describes_the_processor(self, backend: OpenVinoBackend) -> None:
        """Which precisions it has is what a user wants to know."""
        precisions = backend.describe()["precisions"]
        assert isinstance(precisions, list)
        assert "fp32" in precisions


class TestPixels:
    def test_are_normalised_as_by_the_table(self, shared: Path, backend: OpenVinoBackend) -> None:
        """The network that does it itself gives what it gives for a normalised tensor."""
        models = RealModels(shared)
        pixels = np.random.default_rng(0).integers(0, 256, (2, 3, 112, 112), dtype=np.uint8)
        for name in ("det_500m", "w600k_mbf"):
            model = models.file(name)
            spec = model.spec.input
            bytewise = backend.load(model, attrs.evolve(CPU, pixels=spec))
            (tensor,) = bytewise.inputs
            assert tensor.dtype == "uint8"
            plain = backend.load(model, CPU)
            count = 1 if tensor.shape[0] == 1 else 2
            floats = ((pixels[:count].astype(np.float64) - spec.mean) / spec.std).astype(np.float32)
            ours = bytewise.run({tensor.name: pixels[:count]})
            for one, other in zip(ours, plain.run({tensor.name: floats}), strict=True):
                np.testing.assert_allclose(one, other, atol=1e-5 * np.abs(other).max())

    def test_a_network_that_takes_no_floats_stays(
        self, tmp_path: Path, backend: OpenVinoBackend
    ) -> None:
        """As does one of several inputs: there is no telling which is the picture."""
        for kinds in ({"x": "DOUBLE"}, {"x": "FLOAT", "y": "FLOAT"}):
            model = graphs.adder(tmp_path, kinds)
            session = backend.load(model, attrs.evolve(CPU, pixels=model.spec.input))
            assert "uint8" not in {tensor.dtype for tensor in session.inputs}


class TestAgreement:
    @pytest.mark.parametrize("bytewise", [False, True])
    def test_boxes_and_embeddings(
        self, shared: Path, backend: OpenVinoBackend, *, bytewise: bool
    ) -> None:
        """The same faces within a tenth of a pixel, embeddings at cosine 0.999 and more."""

        def load(one: Any, model: ModelFile) -> Session:
            options = attrs.evolve(CPU, pixels=model.spec.input if bytewise else None)
            session: Session = one.load(model, options)
            return session

        models = RealModels(shared)
        detector, embedder = models.file("det_500m"), models.file("w600k_mbf")
        photo = models.photos("groups/*.jpg")[0]
        (ours,), (theirs,) = (
            Scrfd(load(one, detector), detector.spec.input).detect([photo], DetectorOptions())
            for one in (OnnxRuntimeBackend(), backend)
        )
        assert ours
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(other.box.as_tuple(), one.box.as_tuple(), atol=0.1)
        crops = np.stack(
            [aligned(photo, one.landmarks) for one in ours if one.landmarks is not None]
        )
        first, second = (
            ArcFace(load(one, embedder), embedder).embed(crops)[0]
            for one in (OnnxRuntimeBackend(), backend)
        )
        assert (first * second).sum(axis=1).min() >= 0.999
