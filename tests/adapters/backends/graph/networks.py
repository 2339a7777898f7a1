"""Small networks that the passes have something to do with, and running them unoptimised."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Arrays = list[NDArray[Any]]


class Drawing:
    """Draws a graph node by node: ``y = drawing.add("Relu", x)``; weights are random."""

    def __init__(self, channels: int = 3, side: int = 8, opset: int = 17) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.opset = opset
        self.shape: tuple[str | int, int, int, int] = ("N", channels, side, side)
        self._rng = np.random.default_rng(3)

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def weight(self, *shape: int) -> str:
        values = self._rng.normal(size=shape).astype(np.float32)
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def constant(self, values: Sequence[int]) -> str:
        """Add whole numbers as a node, the way some exporters do."""
        return self.add("Constant", value=numpy_helper.from_array(np.array(values, np.int64), ""))

    def conv(self, x: str, ins: int, outs: int, *, side: int = 3, group: int = 1) -> str:
        weights = self.weight(outs, ins // group, side, side), self.weight(outs)
        pads = [side // 2] * 4
        return self.add("Conv", x, *weights, group=group, pads=pads, kernel_shape=[side, side])

    def model(self, *outputs: str, axes: Sequence[str | int] = ("a", "b", "c", "d")) -> Any:
        """Return the network; `axes` is the shape of its outputs."""
        values = [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)]
        answers = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, list(axes)) for name in outputs
        ]
        graph = helper.make_graph(self.nodes, "drawing", values, answers, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = 8
        return model


def run(model: Any, x: NDArray[np.float32]) -> Arrays:
    """Return the outputs of a network as ONNX Runtime computes it without optimisation."""
    settings = onnxruntime.SessionOptions()
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    settings.intra_op_num_threads = 1
    content = model.SerializeToString()
    session = onnxruntime.InferenceSession(content, settings, providers=["CPUExecutionProvider"])
    return [np.asarray(output) for output in session.run(None, {"x": x})]


def kinds(model: Any) -> list[str]:
    """Return the operators of a network, in order."""
    return [node.op_type for node in model.graph.node]


def parsed(content: bytes) -> Any:
    return onnx.load_from_string(content)


def pictures(shape: Sequence[int]) -> NDArray[np.float32]:
    return np.random.default_rng(4).normal(size=shape).astype(np.float32)
