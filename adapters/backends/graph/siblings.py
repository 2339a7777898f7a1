"""Convolutions of one input that fill their blocks of channels badly, done as one.

The three heads of an SCRFD have 2, 8 and 20 channels at each position. Padded to blocks of 16 they
cost as much as 64 channels; together they are 30, and cost 32.
"""

import numpy as np

from facecv.adapters.backends.graph.editing import Graph, Node, attributes, node

_LEAVES_BLOCKS = {"Transpose", "Reshape", "Flatten", "Mul", "Sigmoid", "Softmax"}
"""What must come after: splitting a tensor takes it out of blocked layout."""


def merge_siblings(graph: Graph, block: int) -> bool:
    """Merge convolutions where that saves blocks; return whether there were any."""
    consumers = graph.consumers()
    families: dict[str, list[Node]] = {}
    for one in graph.nodes:
        if one.op_type == "Conv" and _is_head(graph, one, consumers):
            families.setdefault(_likeness(graph, one), []).append(one)
    worth = [family for family in families.values() if _saves(graph, family, block)]
    for family in worth:
        _merge(graph, family)
    return bool(worth)


def _is_head(graph: Graph, conv: Node, consumers: dict[str, list[Node]]) -> bool:
    readers = consumers.get(conv.output[0], [])
    constant = all(graph.weight(name) is not None for name in conv.input[1:])
    leaves = all(reader.op_type in _LEAVES_BLOCKS for reader in readers)
    return constant and leaves and bool(readers) and attributes(conv).get("group", 1) == 1


def _likeness(graph: Graph, conv: Node) -> str:
    """Return what convolutions must have in common to be merged."""
    settings = sorted((name, str(value)) for name, value in attributes(conv).items())
    return f"{conv.input[0]} {_weights(graph, conv).shape[1:]} {len(conv.input)} {settings}"


def _weights(graph: Graph, conv: Node, place: int = 1) -> np.ndarray:
    values = graph.weight(conv.input[place])
    assert values is not None  # noqa: S101 - `_is_head` has seen to that
    return values


def _saves(graph: Graph, family: list[Node], block: int) -> bool:
    widths = [len(_weights(graph, conv)) for conv in family]
    return _blocks(sum(widths), block) < sum(_blocks(width, block) for width in widths)


def _blocks(channels: int, block: int) -> int:
    return -(-channels // block)


def _merge(graph: Graph, family: list[Node]) -> None:
    """Put one convolution and a split in the place of the first of the family."""
    first = family[0]
    merged = f"{first.output[0]}/merged"
    inputs = [first.input[0]]
    for place in range(1, len(first.input)):
        values = np.concatenate([_weights(graph, conv, place) for conv in family])
        inputs.append(graph.add_weight(f"{merged}/{place}", values))
    widths = np.array([len(_weights(graph, conv)) for conv in family], np.int64)
    together = node("Conv", inputs, [merged], **attributes(first))
    parts = _split(graph, merged, widths, [conv.output[0] for conv in family])
    gone = {conv.output[0] for conv in family}
    start = next(i for i, one in enumerate(graph.nodes) if one.output[0] == first.output[0])
    rest = [one for one in graph.nodes[start:] if one.output[0] not in gone]
    graph.nodes = [*graph.nodes[:start], together, parts, *rest]


def _split(graph: Graph, merged: str, widths: np.ndarray, outputs: list[str]) -> Node:
    if graph.opset < 13:
        return node("Split", [merged], outputs, axis=1, split=widths.tolist())
    sizes = graph.add_weight(f"{merged}/widths", widths)
    return node("Split", [merged, sizes], outputs, axis=1)
