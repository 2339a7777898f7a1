"""Channels filled up with zeros, where their number keeps tensors out of blocked layout.

ONNX Runtime blocks a tensor only if its channels are a multiple of four, feeds convolutions of
less than a block without it, and pools only whole blocks. Channels of weight zero change nothing
that follows, and cost nothing that the padding inside of the kernels would not cost anyway.
"""

from collections.abc import Iterator

import attrs
import numpy as np

from facecv.adapters.backends.graph.editing import Graph, Node, attributes

_CHANNELWISE = {"Relu", "Add", "MaxPool", "AveragePool", "Sigmoid", "Clip", "LeakyRelu"}
"""Operators whose output has the channels of their tensors."""

_POOLS = {"MaxPool", "AveragePool"}


@attrs.define
class _Component:
    """Tensors that must have one number of channels, and the nodes that touch them.

    Attributes:
        tensors: their names.
        inside: nodes that read and write tensors of the component.
        makers: convolutions that write one.
        users: convolutions that read one.
    """

    tensors: set[str] = attrs.field(factory=set)
    inside: list[Node] = attrs.field(factory=list)
    makers: list[Node] = attrs.field(factory=list)
    users: list[Node] = attrs.field(factory=list)


def pad_channels(graph: Graph, block: int) -> bool:
    """Pad where that keeps tensors in blocks; return whether there was anything to pad."""
    padded = False
    for component in list(_components(graph)):
        channels = {len(_value(graph, conv, 1)) for conv in component.makers}
        if len(channels) == 1 and _is_misfit(component, max(channels), block):
            _pad(graph, component, -max(channels) % block)
            padded = True
    return padded


def _is_misfit(component: _Component, channels: int, block: int) -> bool:
    """Say whether a number of channels keeps the component out of blocked layout."""
    if channels % block == 0 or -channels % block > 0.4 * channels:
        return False
    pooled = any(one.op_type in _POOLS for one in component.inside)
    return bool(component.users) and (channels < block or channels % 4 != 0 or pooled)


def _components(graph: Graph) -> Iterator[_Component]:
    """Yield the components whose channels are nobody else's business."""
    producers, consumers = graph.producers(), graph.consumers()
    seen: set[str] = set()
    for one in graph.nodes:
        start = one.output[0]
        if _is_plain(graph, one) and start not in seen:
            component = _grown(graph, start, producers, consumers)
            if component:
                seen |= component.tensors
                yield component


def _grown(
    graph: Graph, start: str, producers: dict[str, Node], consumers: dict[str, list[Node]]
) -> _Component | None:
    """Return the component around a tensor; None where something else depends on its channels."""
    found, waiting = _Component(), [start]
    while waiting:
        name = waiting.pop()
        if name in found.tensors:
            continue
        found.tensors.add(name)
        producer = producers.get(name)
        if producer is None or graph.is_output(name):
            return None
        for one in (producer, *consumers.get(name, [])):
            if not _place(graph, one, name, found):
                return None
        for one in found.inside:
            waiting += [*_tensors(graph, one), *one.output]
    return found


def _place(graph: Graph, one: Node, name: str, found: _Component) -> bool:
    """Put a node that touches `name` where it belongs; return whether it may be padded."""
    if _is_plain(graph, one):
        group = found.makers if name in one.output else found.users
    elif one.op_type in _CHANNELWISE or _is_depthwise(graph, one):
        if len(one.output) > 1 or any(graph.weight(tensor) is not None for tensor in _data(one)):
            return False
        group = found.inside
    else:
        return False
    if not any(one is other for other in group):
        group.append(one)
    return True


def _data(one: Node) -> list[str]:
    """Return the inputs of a node that carry channels."""
    return list(one.input) if one.op_type == "Add" else [one.input[0]]


def _tensors(graph: Graph, one: Node) -> list[str]:
    return [name for name in _data(one) if graph.weight(name) is None]


def _is_plain(graph: Graph, one: Node) -> bool:
    """Say whether a node is a convolution without groups, with constant weights."""
    return _is_constant_conv(graph, one) and attributes(one).get("group", 1) == 1


def _is_depthwise(graph: Graph, one: Node) -> bool:
    if not _is_constant_conv(graph, one):
        return False
    weights = _value(graph, one, 1)
    return weights.shape[1] == 1 and bool(len(weights) == attributes(one).get("group", 1))


def _is_constant_conv(graph: Graph, one: Node) -> bool:
    constant = all(graph.weight(name) is not None for name in one.input[1:] if name)
    return one.op_type == "Conv" and constant


def _value(graph: Graph, conv: Node, place: int) -> np.ndarray:
    values = graph.weight(conv.input[place])
    assert values is not None  # noqa: S101 - only convolutions with constant weights get here
    return values


def _pad(graph: Graph, component: _Component, missing: int) -> None:
    for conv in component.makers:
        _fill(graph, conv, axis=0, missing=missing)
    for conv in component.users:
        _fill(graph, conv, axis=1, missing=missing)
    for one in component.inside:
        if one.op_type == "Conv":
            _fill(graph, one, axis=0, missing=missing)
            group = next(item for item in one.attribute if item.name == "group")
            group.i += missing


def _fill(graph: Graph, conv: Node, *, axis: int, missing: int) -> None:
    """Add zeros to the output (axis 0) or input channels (axis 1) of a convolution."""
    for place in range(1, len(conv.input) if axis == 0 else 2):
        values = _value(graph, conv, place)
        margins = [(0, missing if index == axis else 0) for index in range(values.ndim)]
        name = f"{conv.output[0]}/{place}/padded{axis}"
        conv.input[place] = graph.add_weight(name, np.pad(values, margins))
