"""Convolutions of groups of two channels as depthwise ones, which alone have a blocked kernel.

Each output channel sees its own input channel and the group's other one: the sum of a depthwise
convolution of the input and one of the input with the channels of each pair swapped. The second
layer of the MobileFaceNet of the buffalo packs is such a convolution, and took a sixth of the time
of the network.
"""

import numpy as np

from facecv.adapters.backends.graph.editing import (
    Graph,
    Node,
    attributes,
    depthwise,
    node,
    replaced,
)


def split_pairs(graph: Graph) -> bool:
    """Replace every convolution of groups of two; return whether there was any."""
    changes: dict[str, list[Node]] = {}
    for one in graph.nodes:
        if one.op_type == "Conv":
            parts = _depthwise_parts(graph, one)
            changes |= {one.output[0]: parts} if parts else {}
    graph.nodes = replaced(graph.nodes, changes)
    return bool(changes)


def _depthwise_parts(graph: Graph, conv: Node) -> list[Node]:
    """Return what replaces a convolution; nothing if it is of another kind."""
    weights, settings = graph.weight(conv.input[1]), attributes(conv)
    groups = settings.pop("group", 1)
    settings.pop("kernel_shape", None)
    if weights is None or groups < 2 or weights.shape[:2] != (2 * groups, 2):
        return []
    x, y = conv.input[0], conv.output[0]
    channels = np.arange(2 * groups)
    swapped = graph.add_weight(f"{y}/partners", channels ^ 1)
    own, other = (weights[channels, column, None] for column in (channels % 2, 1 - channels % 2))
    first = depthwise(graph, x, own, f"{y}/own", **settings)
    first.input.extend(conv.input[2:])
    return [
        first,
        node("Gather", [x, swapped], [f"{y}/swapped"], axis=1),
        depthwise(graph, f"{y}/swapped", other, f"{y}/other", **settings),
        node("Add", [f"{y}/other", f"{y}/own"], [y]),
    ]
