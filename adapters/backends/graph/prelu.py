"""PReLU, for which ONNX Runtime has no kernel in blocked layout, from convolutions, which have one.

With slopes a, ``prelu(x) = x + (1 - a) relu(-x)``: two depthwise 1x1 convolutions, of which the
first takes the ReLU in and the second the addition. Positive values stay to the last bit, negative
ones are rounded once more. (``relu(x) - a relu(-x)`` is exact on both sides, and 5 % slower for a
MobileFaceNet, since its first ReLU is a pass of its own.)
"""

from collections.abc import Mapping

import numpy as np

from facecv.adapters.backends.graph.editing import Graph, Node, depthwise, node, replaced

_BLOCKED = {"Conv", "BatchNormalization"}
"""What leaves a tensor in blocked layout; so does a sum of two such tensors."""


def rewrite_prelu(graph: Graph) -> bool:
    """Replace every PReLU with one slope a channel; return whether there was any."""
    producers = graph.producers()
    changes: dict[str, list[Node]] = {}
    for one in graph.nodes:
        if one.op_type == "PRelu" and _is_blocked(one.input[0], producers):
            parts = _convolutions(graph, one)
            changes |= {one.output[0]: parts} if parts else {}
    graph.nodes = replaced(graph.nodes, changes)
    return bool(changes)


def _is_blocked(tensor: str, producers: Mapping[str, Node]) -> bool:
    """Say whether a PReLU of `tensor` would find it in blocked layout."""
    before = producers.get(tensor)
    if before is None:
        return False
    kinds = {before.op_type}
    if before.op_type == "Add":
        terms = [producers.get(name) for name in before.input]
        kinds = {term.op_type if term is not None else "" for term in terms}
    return kinds <= _BLOCKED


def _convolutions(graph: Graph, prelu: Node) -> list[Node]:
    """Return what replaces a PReLU; nothing where its slopes are not one a channel."""
    slopes = graph.weight(prelu.input[1])
    if slopes is None or slopes.ndim not in {3, 4} or slopes.size != slopes.shape[-3]:
        return []
    x, y = prelu.input[0], prelu.output[0]
    columns = slopes.reshape(-1, 1, 1, 1).astype(np.float64)
    return [
        depthwise(graph, x, np.full_like(columns, -1), f"{y}/negative"),
        node("Relu", [f"{y}/negative"], [f"{y}/below"]),
        depthwise(graph, f"{y}/below", 1 - columns, f"{y}/lift"),
        node("Add", [f"{y}/lift", x], [y]),
    ]
