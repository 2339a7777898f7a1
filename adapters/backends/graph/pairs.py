"""Convolutions of groups of two channels as depthwise ones, which alone have a blocked kernel.

Each output channel sees its own input channel and the group's other one: the sum of a depthwise
convolution of the input and one of the input with the channels of each pair swapped. The second
layer of the MobileFaceNet of the buffalo packs is such a convolution, and took a sixth of the time
of the network.

Where channels fill whole blocks, partners are in the same block, and a 1x1 convolution of groups of
one block swaps them without leaving the blocked layout: 3 % of that network's time less than
gathering.
"""

import numpy as np
from numpy.typing import NDArray

from facecv.adapters.backends.graph.editing import (
    Graph,
    Node,
    attributes,
    depthwise,
    node,
    replaced,
)


def split_pairs(graph: Graph, block: int) -> bool:
    """Replace every convolution of groups of two; return whether there was any."""
    changes: dict[str, list[Node]] = {}
    for one in graph.nodes:
        if one.op_type == "Conv":
            parts = _depthwise_parts(graph, one, block)
            changes |= {one.output[0]: parts} if parts else {}
    graph.nodes = replaced(graph.nodes, changes)
    return bool(changes)


def _depthwise_parts(graph: Graph, conv: Node, block: int) -> list[Node]:
    """Return what replaces a convolution; nothing if it is of another kind."""
    weights, settings = graph.weight(conv.input[1]), attributes(conv)
    groups = settings.pop("group", 1)
    settings.pop("kernel_shape", None)
    if weights is None or groups < 2 or weights.shape[:2] != (2 * groups, 2):
        return []
    x, y = conv.input[0], conv.output[0]
    channels = np.arange(2 * groups)
    own, other = (weights[channels, column, None] for column in (channels % 2, 1 - channels % 2))
    first = depthwise(graph, x, own, f"{y}/own", **settings)
    first.input.extend(conv.input[2:])
    return [
        first,
        _swapped(graph, x, f"{y}/swapped", channels ^ 1, block),
        depthwise(graph, f"{y}/swapped", other, f"{y}/other", **settings),
        node("Add", [f"{y}/other", f"{y}/own"], [y]),
    ]


def _swapped(graph: Graph, x: str, y: str, partners: NDArray[np.intp], block: int) -> Node:
    """Return a node that puts each channel in the place of its partner."""
    if len(partners) % block:
        return node("Gather", [x, graph.add_weight(f"{y}/partners", partners)], [y], axis=1)
    weights = np.eye(block, dtype=np.float32)[partners % block, :, None, None]
    name = graph.add_weight(f"{y}/partners", weights)
    return node("Conv", [x, name], [y], group=len(partners) // block, kernel_shape=[1, 1])
