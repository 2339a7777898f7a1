"""Networks in fewer bits, written by ONNX Runtime's tools."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import onnx
import pytest

from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from facecv.core.errors import ModelError, RuntimeMissingError
from facecv.core.pack import InputSpec, ModelFile
from facecv.core.ports.inference_backend import SessionOptions
from facecv.core.ports.model_converter import ModelConverter, Precision
from tests import graphs
from tests.adapters.backends.graph.networks import Drawing

CPU = SessionOptions(device="cpu", threads=1)


@pytest.fixture
def model(tmp_path: Path) -> ModelFile:
    """Return two convolutions and a depthwise one between them."""
    drawing = Drawing()
    first = drawing.conv("x", 3, 16)
    middle = drawing.add("Conv", first, drawing.weight(16, 1, 1, 1), group=16)
    path = tmp_path / "drawing.onnx"
    graph = drawing.model(drawing.conv(middle, 16, 5)).graph
    return graphs.save(graph, path, "recognition", InputSpec())


def runs(count: int = 4) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    return [{"x": rng.normal(size=(1, 3, 8, 8)).astype(np.float32)} for _ in range(count)]


def converted(model: ModelFile, precision: Precision, target: Path) -> ModelFile:
    backend = OnnxRuntimeBackend()
    assert isinstance(backend, ModelConverter)
    backend.convert(model, precision, runs(), target)
    return attrs.evolve(model, path=target, sha256="")


class TestInt8:
    def test_answers_nearly_as_the_original(
        self, model: ModelFile, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Convolutions are quantised, but for the depthwise one; the tools keep quiet."""
        variant = converted(model, "int8", tmp_path / "small.onnx")
        backend, x = OnnxRuntimeBackend(), runs(1)[0]
        one, other = (backend.load(each, CPU).run(x)[0] for each in (model, variant))
        cosine = (one * other).sum() / np.linalg.norm(one) / np.linalg.norm(other)
        assert 0.99 < cosine < 1 - 1e-7
        nodes = onnx.load(str(variant.path)).graph.node
        assert Counter(node.op_type for node in nodes)["QuantizeLinear"] >= 2
        dequantised = {node.output[0] for node in nodes if node.op_type == "DequantizeLinear"}
        weights = [node.input[1] in dequantised for node in nodes if node.op_type == "Conv"]
        assert weights == [True, False, True]
        assert capfd.readouterr() == ("", "")

    def test_prelu_is_rewritten_and_stays_in_single_precision(self, tmp_path: Path) -> None:
        """It has no integer kernel; what takes its place is not quantised."""
        drawing = Drawing()
        first = drawing.conv("x", 3, 16)
        middle = drawing.add("PRelu", first, drawing.weight(16, 1, 1))
        graph = drawing.model(drawing.conv(middle, 16, 5)).graph
        model = graphs.save(graph, tmp_path / "drawing.onnx", "recognition", InputSpec())
        variant = converted(model, "int8", tmp_path / "small.onnx")
        x = runs(1)[0]
        one, other = (OnnxRuntimeBackend().load(each, CPU).run(x)[0] for each in (model, variant))
        assert (one * other).sum() / np.linalg.norm(one) / np.linalg.norm(other) > 0.99
        nodes = onnx.load(str(variant.path)).graph.node
        written = {node.output[0]: node.op_type for node in nodes}
        kinds = {node.op_type: [written.get(name) for name in node.input] for node in nodes}
        assert "PRelu" not in kinds
        assert kinds["Relu"] == ["Conv"]
        assert kinds["Add"] == ["Conv", "DequantizeLinear"]

    def test_an_old_network_is_brought_up_to_date(self, model: ModelFile, tmp_path: Path) -> None:
        """Scales by channel came with version 13 of the operators."""
        network = onnx.load(str(model.path))
        network.opset_import[0].version = 11
        onnx.save(network, str(model.path))
        variant = converted(model, "int8", tmp_path / "small.onnx")
        OnnxRuntimeBackend().load(variant, CPU)
        assert onnx.load(str(variant.path)).opset_import[0].version >= 13


class TestFp16:
    def test_keeps_inputs_and_outputs(self, model: ModelFile, tmp_path: Path) -> None:
        """Half the size; adapters go on as before."""
        variant = converted(model, "fp16", tmp_path / "half.onnx")
        session = OnnxRuntimeBackend(graph_cache=tmp_path / "graphs").load(variant, CPU)
        assert session.inputs[0].dtype == session.outputs[0].dtype == "float32"
        x = runs(1)[0]
        expected = OnnxRuntimeBackend().load(model, CPU).run(x)[0]
        np.testing.assert_allclose(session.run(x)[0], expected, atol=1e-3 * np.abs(expected).max())
        kinds = {one.data_type for one in onnx.load(str(variant.path)).graph.initializer}
        assert onnx.TensorProto.FLOAT not in kinds


class TestRefusals:
    @pytest.mark.parametrize("first", ["int8", "fp16"])
    def test_a_variant_is_not_converted_again(
        self, model: ModelFile, tmp_path: Path, first: Precision
    ) -> None:
        """It says what it is."""
        variant = converted(model, first, tmp_path / "small.onnx")
        with pytest.raises(ModelError, match=f"is {first} already"):
            converted(variant, "int8", tmp_path / "smaller.onnx")

    def test_what_is_no_network(self, model: ModelFile, tmp_path: Path) -> None:
        """The file is named."""
        model.path.write_bytes(b"no network at all")
        with pytest.raises(ModelError, match=r"drawing\.onnx"):
            converted(model, "int8", tmp_path / "small.onnx")

    def test_without_onnx(
        self, model: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The error names the extra."""
        monkeypatch.setitem(sys.modules, "onnx", None)
        with pytest.raises(RuntimeMissingError, match="onnx") as caught:
            OnnxRuntimeBackend().convert(model, "int8", runs(), tmp_path / "small.onnx")
        assert "facecv[cpu]" in caught.value.hint
