"""A batch that was fixed at one when the network was exported, made free.

Nothing in a network of convolutions depends on how many pictures go through; only the shapes that
were written down do. Networks whose outputs are not one row a picture are left as they are.
"""

from typing import Any

import numpy as np

from facecv.adapters.backends.graph.editing import Graph

_NAME = "N"


def free_batch(graph: Graph) -> bool:
    """Make the first axis of all inputs and outputs free, if it is one; return whether it was."""
    axes = [_first_axis(value) for value in (*graph.inputs, *graph.outputs)]
    reshapes = [
        one
        for one in graph.nodes
        if one.op_type == "Reshape" and graph.weight(one.input[0]) is None  # not one of weights
    ]
    shapes = [graph.weight(one.input[1]) for one in reshapes]
    if any(axis is None or axis.dim_value != 1 for axis in axes):
        return False
    if any(shape is None or not len(shape) for shape in shapes):
        return False
    for axis in axes:
        axis.dim_param = _NAME
    for one, shape in zip(reshapes, shapes, strict=True):
        if shape is not None and shape[0] == 1:
            one.input[1] = graph.add_weight(f"{one.output[0]}/free", _freed(shape))
    return True


def _first_axis(value: Any) -> Any:  # noqa: ANN401 - the library has no types
    """Return the first axis of an input or output; None where it has none."""
    axes = value.type.tensor_type.shape.dim
    return axes[0] if len(axes) else None


def _freed(shape: np.ndarray) -> np.ndarray:
    """Return a shape whose first axis follows from the tensor: as it is there, or what is left."""
    return np.array([0 if -1 in shape[1:] else -1, *shape[1:]], np.int64)
