"""An ONNX graph, as the passes see and change it."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Node = Any
"""An ``onnx.NodeProto``; the library has no types."""


class Graph:
    """The graph of a network; changes reach the network's file through `finish`.

    Attributes:
        nodes: in an order in which they can run; constants are weights instead.
        opset: version of the standard operators.
        inputs: what the network is given, each an ``onnx.ValueInfoProto``.
        outputs: what it gives, likewise.
    """

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - the library has no types
        """Take an ``onnx.ModelProto``, which `finish` changes."""
        self._model = model
        self.opset = next(
            one.version for one in model.opset_import if one.domain in {"", "ai.onnx"}
        )
        self._weights = {tensor.name: tensor for tensor in model.graph.initializer}
        self.nodes: list[Node] = []
        for one in model.graph.node:
            values = attributes(one).get("value") if one.op_type == "Constant" else None
            if values is None:
                self.nodes.append(one)
            else:
                array = numpy_helper.to_array(values)
                self._weights[one.output[0]] = numpy_helper.from_array(array, one.output[0])
        self.inputs = [value for value in model.graph.input if value.name not in self._weights]
        self.outputs = list(model.graph.output)
        self._results = {value.name for value in self.outputs}

    def producers(self) -> dict[str, Node]:
        """Return, for every tensor that a node writes, that node."""
        return {name: node for node in self.nodes for name in node.output}

    def consumers(self) -> dict[str, list[Node]]:
        """Return, for every tensor that nodes read, those nodes."""
        readers: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in node.input:
                readers.setdefault(name, []).append(node)
        return readers

    def is_output(self, name: str) -> bool:
        """Say whether a tensor is an output of the network."""
        return name in self._results

    def weight(self, name: str) -> NDArray[Any] | None:
        """Return a constant tensor, or None where `name` is computed."""
        tensor = self._weights.get(name)
        return None if tensor is None else np.asarray(numpy_helper.to_array(tensor))

    def add_weight(self, name: str, values: NDArray[Any]) -> str:
        """Keep a constant tensor under `name`, which must be new; return the name."""
        if name in self._weights:
            raise ValueError(f"there is a tensor {name} already")
        self._weights[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def finish(self) -> Any:  # noqa: ANN401 - an onnx.ModelProto
        """Return the network with all changes; weights that nothing reads are gone."""
        read = {name for node in self.nodes for name in node.input} | self._results
        graph = self._model.graph
        for field, values in (
            (graph.node, self.nodes),
            (graph.input, self.inputs),
            (graph.initializer, [one for name, one in self._weights.items() if name in read]),
            (graph.value_info, []),
        ):
            kept = list(values)
            del field[:]
            field.extend(kept)
        return self._model


def node(kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> Node:  # noqa: ANN401 - whatever the operator takes
    """Return a new node, named after its first output."""
    return helper.make_node(kind, inputs, outputs, name=f"{outputs[0]}/{kind}", **attributes)


def attributes(one: Node) -> dict[str, Any]:
    """Return the attributes of a node as Python values."""
    return {item.name: onnx.helper.get_attribute_value(item) for item in one.attribute}


def depthwise(
    graph: Graph,
    inputs: str,
    weights: NDArray[Any],
    output: str,
    **attributes: Any,  # noqa: ANN401
) -> Node:
    """Return a convolution of each channel by itself.

    Args:
        graph: gets the weights.
        inputs: name of the tensor [N, C, H, W].
        weights: [C, 1, h, w].
        output: name of the result.
        attributes: strides and the like.
    """
    name = graph.add_weight(f"{output}/weights", weights.astype(np.float32))
    shape = list(weights.shape[2:])
    return node(
        "Conv", [inputs, name], [output], group=len(weights), kernel_shape=shape, **attributes
    )


def replaced(nodes: Iterable[Node], changes: dict[str, list[Node]]) -> list[Node]:
    """Return `nodes` with those whose first output is a key of `changes` replaced by its value."""
    return [new for old in nodes for new in changes.get(old.output[0], [old])]
