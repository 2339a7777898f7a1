"""The fakes keep the promises of their ports."""

from pathlib import Path

import attrs
import numpy as np
import pytest

from facecv.core.arrays import Pixels
from facecv.core.face import Detection
from facecv.core.geometry import Box
from facecv.core.pack import ModelFile, ModelSpec
from facecv.core.ports.inference_backend import TensorSpec
from facecv.plugins.contracts.attribute_model import AttributeModelContract
from facecv.plugins.contracts.detector import DetectorContract
from facecv.plugins.contracts.embedder import EmbedderContract
from facecv.plugins.contracts.inference_backend import InferenceBackendContract
from tests.fakes.attribute_model import FakeAttributeModel
from tests.fakes.detector import FakeDetector
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.inference_backend import FakeBackend, FakeSession


class TestFakeDetector(DetectorContract):
    @pytest.fixture
    def detector(self) -> FakeDetector:
        return FakeDetector([Detection(Box(5, 5, 20, 20), 0.3), Detection(Box(30, 5, 50, 30), 0.9)])

    @pytest.fixture
    def picture(self) -> Pixels:
        return np.full((60, 80, 3), 90, np.uint8)


class TestFakeEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> FakeEmbedder:
        return FakeEmbedder()


class TestFakeAttributeModel(AttributeModelContract):
    @pytest.fixture
    def model(self) -> FakeAttributeModel:
        return FakeAttributeModel()


class TestFakeBackend(InferenceBackendContract):
    @pytest.fixture
    def backend(self) -> FakeBackend:
        x, y = (TensorSpec(name, (None, 2), "float32") for name in "xy")
        return FakeBackend(FakeSession(lambda inputs: [inputs["x"] * 2], [x], [y]))

    @pytest.fixture
    def doubler(self, tmp_path: Path) -> ModelFile:
        path = tmp_path / "fake.onnx"
        path.write_bytes(b"fake")
        return ModelFile(path, "0" * 64, ModelSpec("fake", "fake.onnx", "detection", "fake"))

    def test_keeps_the_shapes_of_runs(self) -> None:
        """What a test wants to know about batches is in `runs`."""
        spec = TensorSpec("x", (None, 2), "float32")
        session = FakeSession(lambda inputs: [inputs["x"]], [spec], [attrs.evolve(spec, name="y")])
        session.run({"x": np.zeros((3, 2), np.float32)})
        assert session.runs == [{"x": (3, 2)}]
