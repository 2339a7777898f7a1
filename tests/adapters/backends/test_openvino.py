"""OpenVINO: the contract of backends, and agreement with ONNX Runtime on real networks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from facecv.adapters.backends.openvino import OpenVinoBackend
from facecv.adapters.detectors.scrfd import Scrfd
from facecv.adapters.embedders.arcface import ArcFace
from facecv.core.errors import DeviceUnavailableError, RuntimeMissingError
from facecv.core.pack import ModelFile
from facecv.core.ports.detector import DetectorOptions
from facecv.core.ports.inference_backend import Device, SessionOptions
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


class TestAgreement:
    def test_boxes_and_embeddings(self, shared: Path, backend: OpenVinoBackend) -> None:
        """The same faces within a tenth of a pixel, embeddings at cosine 0.999 and more."""
        models = RealModels(shared)
        detector, embedder = models.file("det_500m"), models.file("w600k_mbf")
        photo = models.photos("groups/*.jpg")[0]
        (ours,), (theirs,) = (
            Scrfd(one.load(detector, CPU), detector.spec.input).detect([photo], DetectorOptions())
            for one in (OnnxRuntimeBackend(), backend)
        )
        assert ours
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(other.box.as_tuple(), one.box.as_tuple(), atol=0.1)
        crops = np.stack(
            [aligned(photo, one.landmarks) for one in ours if one.landmarks is not None]
        )
        first, second = (
            ArcFace(one.load(embedder, CPU), embedder).embed(crops)[0]
            for one in (OnnxRuntimeBackend(), backend)
        )
        assert (first * second).sum(axis=1).min() >= 0.999
