"""Input normalisation as the first operators of a network, which then takes bytes."""

import numpy as np
import onnx
from onnx import TensorProto

from facecv.adapters.backends.graph.editing import Graph, attributes, node
from facecv.core.pack import InputSpec

_BROADCASTS = 7
"""Version of the standard operators from which a number can be subtracted from a tensor."""


def take_bytes(content: bytes, spec: InputSpec) -> bytes:
    """Return a network whose input takes bytes and is normalised as `spec` says.

    Its name, shape, layout and colour order stay.

    Args:
        content: of an ONNX file.
        spec: mean and divisor.

    Raises:
        ValueError: the content is not a network, or one whose input cannot take bytes: it has
            several, they are no single floats, or its weights are kept elsewhere.
    """
    try:
        model = onnx.load_from_string(content)
        elsewhere = [
            each.name
            for each in model.graph.initializer
            if each.data_location == TensorProto.EXTERNAL
        ]
        graph = Graph(model)
        able = not elsewhere and normalise(graph, spec)
        written: bytes = graph.finish().SerializeToString() if able else b""
    except Exception as error:  # whatever protobuf and numpy raise at odd files
        raise ValueError(f"the network cannot be rewritten: {error}") from error
    if not written:
        raise ValueError("its input cannot take bytes")
    return written


def normalise(graph: Graph, spec: InputSpec) -> bool:
    """Put ``(x - mean) / std`` behind the input, which becomes uint8; return whether it could be.

    Where single precision holds the mean, the results are exact to the last bit.
    """
    if len(graph.inputs) != 1 or graph.opset < _BROADCASTS or _has_subgraphs(graph):
        return False
    kind, name = graph.inputs[0].type.tensor_type, graph.inputs[0].name
    if kind.elem_type != TensorProto.FLOAT or graph.is_output(name):
        return False
    inside = f"{name}/normalised"
    for one in graph.nodes:
        one.input[:] = [inside if each == name else each for each in one.input]
    kind.elem_type = TensorProto.UINT8
    floats, centred = f"{name}/floats", f"{name}/centred"
    mean = graph.add_weight(f"{name}/mean", np.array(spec.mean, np.float32))
    std = graph.add_weight(f"{name}/std", np.array(spec.std, np.float32))
    graph.nodes[:0] = [
        node("Cast", [name], [floats], to=TensorProto.FLOAT),
        node("Sub", [floats, mean], [centred]),
        node("Div", [centred, std], [inside]),
    ]
    return True


def _has_subgraphs(graph: Graph) -> bool:
    """Say whether operators hold graphs, which may read the input without naming it."""
    return any(
        isinstance(value, onnx.GraphProto)
        for one in graph.nodes
        for value in attributes(one).values()
    )
