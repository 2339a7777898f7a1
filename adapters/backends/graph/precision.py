"""What numbers a network computes with."""

from typing import Any

import onnx

_INTEGERS = ("QuantizeLinear", "DequantizeLinear", "ConvInteger", "MatMulInteger")


def computes_in_half(model: Any) -> bool:  # noqa: ANN401 - the library has no types
    """Say whether operators take weights in half precision.

    Weights that are only kept that way, and cast before they are used, do not count.
    """
    halved = {
        tensor.name
        for tensor in model.graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT16
    }
    return any(
        halved.intersection(node.input) for node in model.graph.node if node.op_type != "Cast"
    )


def computes_in_integers(model: Any) -> bool:  # noqa: ANN401 - the library has no types
    """Say whether operators were quantised, statically or dynamically."""
    kinds = {node.op_type for node in model.graph.node}
    return any(kind.startswith("QLinear") or kind in _INTEGERS for kind in kinds)
