"""Networks that take bytes give what they give for pixels that were normalised outside."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from facecv.adapters.backends.graph.normalising import take_bytes
from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from facecv.adapters.detectors.scrfd import Scrfd
from facecv.adapters.imaging.tensors import Normalizer
from facecv.core.pack import InputSpec
from facecv.core.ports.detector import DetectorOptions
from facecv.core.ports.inference_backend import SessionOptions, TensorSpec
from tests import graphs
from tests.adapters.backends.graph.networks import Drawing, parsed
from tests.real_models import RealModels

SPECS = [
    InputSpec(),
    InputSpec(std=128.0),
    InputSpec(color="bgr", mean=0.0, std=1.0),
    InputSpec(color="grey", mean=0.0, std=255.0),
]


def run(content: bytes, tensor: NDArray[Any]) -> Sequence[NDArray[Any]]:
    """Return the outputs of a network on the CPU, unoptimised."""
    settings = onnxruntime.SessionOptions()
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, settings, providers=["CPUExecutionProvider"])
    (value,) = session.get_inputs()
    return [np.asarray(each) for each in session.run(None, {value.name: tensor})]


def answers(content: bytes, spec: InputSpec, side: int = 64) -> Iterator[tuple[Any, Any]]:
    """Yield what a network gives for normalised pixels and, rewritten, for the bytes."""
    written = take_bytes(content, spec)
    picture = np.random.default_rng(0).integers(0, 256, (side - 5, side, 3), dtype=np.uint8)
    takes_bytes = TensorSpec("x", (None, None, side, side), "uint8")
    planes = Normalizer.of(spec, takes_bytes).planes([picture], (side, side))
    before = run(content, ((planes.astype(np.float64) - spec.mean) / spec.std).astype(np.float32))
    after = run(written, planes)
    yield from zip(before, after, strict=True)


def pictured(spec: InputSpec) -> bytes:
    """Return a network that convolves its input, and gives it too."""
    channels = 1 if spec.color == "grey" else 3
    drawing = Drawing(channels, 64)
    y = drawing.add("Relu", drawing.conv("x", channels, 8))
    content: bytes = drawing.model(y, drawing.add("Identity", "x")).SerializeToString()
    return content


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_equal_to_the_last_bit(spec: InputSpec) -> None:
    """The means and divisors of the known networks, with black beside the picture."""
    for old, new in answers(pictured(spec), spec):
        np.testing.assert_array_equal(new, old)


def test_a_mean_that_is_rounded() -> None:
    """Single precision cannot hold every mean: a millionth."""
    spec = InputSpec(mean=123.675, std=58.395)
    for old, new in answers(pictured(spec), spec):
        np.testing.assert_allclose(new, old, atol=1e-6 * np.abs(old).max())


def test_of_real_networks(shared: Path) -> None:
    """A detector and an embedder."""
    models = RealModels(shared)
    for name, side in (("det_500m", 192), ("w600k_mbf", 112)):
        model = models.file(name)
        for old, new in answers(model.path.read_bytes(), model.spec.input, side):
            np.testing.assert_array_equal(new, old)


def test_adapters_feed_it(tmp_path: Path) -> None:
    """The type of the input is all that a detector needs to be told."""
    model = graphs.scrfd(tmp_path)
    model.path.write_bytes(take_bytes(model.path.read_bytes(), model.spec.input))
    session = OnnxRuntimeBackend().load(model, SessionOptions(device="cpu"))
    picture = graphs.red_cells(640, 480, [(3, 4), (20, 10)])
    (found,) = Scrfd(session, model.spec.input).detect([picture], DetectorOptions(passes="single"))
    assert {tuple(one.box.as_tuple()) for one in found} == {
        graphs.face_at(*cell).box.as_tuple() for cell in ((3, 4), (20, 10))
    }


def test_name_and_shape_of_the_input_stay(tmp_path: Path) -> None:
    """Only its type is another."""
    content = graphs.scrfd(tmp_path).path.read_bytes()
    (before,) = parsed(content).graph.input
    (after,) = parsed(take_bytes(content, InputSpec())).graph.input
    assert after.type.tensor_type.elem_type == TensorProto.UINT8
    after.type.tensor_type.elem_type = TensorProto.FLOAT
    assert after == before


class TestLeftAlone:
    def test_what_is_no_network(self) -> None:
        """Whatever protobuf says about it."""
        with pytest.raises(ValueError, match="cannot be rewritten"):
            take_bytes(b"no network", InputSpec())

    @pytest.mark.parametrize("inputs", [{"x": "DOUBLE"}, {"x": "FLOAT", "y": "FLOAT"}])
    def test_other_inputs(self, tmp_path: Path, inputs: dict[str, str]) -> None:
        """Other numbers than single floats, and several: there is no telling which is pixels."""
        content = graphs.adder(tmp_path, inputs).path.read_bytes()
        with pytest.raises(ValueError, match="cannot take bytes"):
            take_bytes(content, InputSpec())

    def test_weights_beside_the_file(self, tmp_path: Path) -> None:
        """A content alone would not find them."""
        drawing = Drawing()
        model = drawing.model(drawing.conv("x", 3, 64, side=7))
        path = tmp_path / "large.onnx"
        onnx.save(model, str(path), save_as_external_data=True, size_threshold=0)
        with pytest.raises(ValueError, match="cannot take bytes"):
            take_bytes(path.read_bytes(), InputSpec())

    def test_graphs_inside_of_operators(self) -> None:
        """They may read the input."""
        inner = helper.make_graph(
            [helper.make_node("Relu", ["x"], ["z"])],
            "inner",
            [],
            [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)],
        )
        drawing = Drawing()
        y = drawing.add("If", drawing.add("Constant", value=helper.make_tensor("", 9, [], [1])))
        drawing.nodes[-1].attribute.extend(
            helper.make_attribute(name, inner) for name in ("then_branch", "else_branch")
        )
        with pytest.raises(ValueError, match="cannot take bytes"):
            take_bytes(drawing.model(y).SerializeToString(), InputSpec())
