"""Small ONNX networks with the signatures of the real ones, built in a moment.

They know no faces, but what they answer follows from the pixels they are given, so that a wrong
colour order, normalisation or coordinate shows:

* `scrfd` sees a face wherever an aligned cell of 16 x 16 pixels is red; `red_cells` draws such
  pictures and `face_at` says what must be found;
* `arcface` projects the mean colours of sixteen parts of the crop;
* `linear` takes the mean colour of the crop times a matrix; `genderage` is one: mean red for the
  male logit, mean blue for the female, mean green for the age.
"""

import hashlib
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from facecv.core.arrays import Pixels
from facecv.core.face import Detection
from facecv.core.geometry import ARCFACE_TEMPLATE, Box
from facecv.core.pack import ColorOrder, InputSpec, ModelFile, ModelSpec, RecognitionSpec, Task

Axis = int | str
CELL = 16
"""Side of the cells, in pixels of the network's input, in which `scrfd` looks for red."""

_OFFSETS = {1: [], 4: [0.5, 0.5, 1.5, 1.5], 10: (ARCFACE_TEMPLATE / 112).ravel().tolist()}


def scrfd(
    folder: Path,
    *,
    landmarks: bool = True,
    levels: int = 3,
    anchors: int = 2,
    size: tuple[Axis, Axis] = ("h", "w"),
    batch: Axis = 1,
    rank: int = 2,
    shuffle: bool = False,
) -> ModelFile:
    """Return a detector that finds a face in every aligned red cell.

    Args:
        folder: where the file is written.
        landmarks: whether it has outputs for landmarks.
        levels: 3 (strides 8 to 32) or 5 (8 to 128).
        anchors: at each position; all but the first are a little less sure.
        size: height and width of the input; words: free.
        batch: pictures in a run; a word: free (needs rank 3).
        rank: 2: outputs [rows, k]; 3: outputs [batch, rows, k].
        shuffle: whether the outputs stand in a wild order.
    """
    widths = (1, 4, 10) if landmarks else (1, 4)
    parts = [_head(8 << level, width, anchors, rank) for width in widths for level in range(levels)]
    if shuffle:
        random.Random(7).shuffle(parts)
    nodes = [node for part in parts for node in part[0]]
    weights = [weight for part in parts for weight in part[1]]
    outputs = [_tensor(part[2], [None] * rank) for part in parts]
    graph = helper.make_graph(
        nodes, "scrfd", [_tensor("input.1", [batch, 3, *size])], outputs, weights
    )
    return save(graph, folder / "scrfd.onnx", "detection", InputSpec(std=128.0))


def _head(
    stride: int, width: int, anchors: int, rank: int
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto], str]:
    """Return nodes, weights and the output's name of one kind of output of one stride."""
    name = f"t{stride * 100 + width}"
    kernel, bias = _kernel(stride, width, anchors)
    shape = [-1, width] if rank == 2 else [0, -1, width]
    weights = [
        numpy_helper.from_array(kernel, f"{name}_kernel"),
        numpy_helper.from_array(bias, f"{name}_bias"),
        numpy_helper.from_array(np.array(shape, np.int64), f"{name}_shape"),
    ]
    cells: dict[str, Any] = {"kernel_shape": [stride, stride], "strides": [stride, stride]}
    nodes = [
        helper.make_node("AveragePool", ["input.1"], [f"{name}_cells"], **cells),
        helper.make_node("Conv", [f"{name}_cells", *(w.name for w in weights[:2])], [f"{name}_c"]),
        helper.make_node("Transpose", [f"{name}_c"], [f"{name}_t"], perm=[0, 2, 3, 1]),
        helper.make_node(
            "Reshape", [f"{name}_t", f"{name}_shape"], [f"{name}_r" if width == 1 else name]
        ),
    ]
    if width == 1:
        nodes.append(helper.make_node("Sigmoid", [f"{name}_r"], [name]))
    return nodes, weights, name


def _kernel(stride: int, width: int, anchors: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a 1x1 convolution: redness for scores, constants for boxes and landmarks."""
    kernel = np.zeros((anchors * width, 3, 1, 1), np.float32)
    if width > 1:
        return kernel, np.tile(np.array(_OFFSETS[width], np.float32), anchors)
    bias = np.full(anchors, -6.0 if stride == CELL else -20.0, np.float32)
    kernel[:, :, 0, 0] = np.array([6.0, -3.0, -3.0]) * (stride == CELL)
    return kernel, bias - np.arange(anchors, dtype=np.float32)


def red_cells(width: int, height: int, cells: Sequence[tuple[int, int]]) -> Pixels:
    """Return a grey picture, uint8 BGR, whose cells (column, row) of 16 x 16 pixels are red."""
    picture = np.full((height, width, 3), 128, np.uint8)
    for column, row in cells:
        area = slice(row * CELL, (row + 1) * CELL), slice(column * CELL, (column + 1) * CELL)
        picture[area] = (0, 0, 255)
    return picture


def face_at(column: int, row: int, *, landmarks: bool = True) -> Detection:
    """Return what `scrfd` finds in a red cell, in pixels of its input."""
    x, y = column * CELL, row * CELL
    points = ARCFACE_TEMPLATE / 112 * CELL + np.array([x, y], np.float32)
    box = Box(x - 0.5 * CELL, y - 0.5 * CELL, x + 1.5 * CELL, y + 1.5 * CELL)
    return Detection(box, 0.9975, points if landmarks else None)


def arcface(
    folder: Path,
    *,
    dim: int = 512,
    side: int = 112,
    batch: Axis = "N",
    channels_last: bool = False,
    seed: int = 1,
    preprocessing: str = "arcface-112-rgb",
) -> ModelFile:
    """Return an embedder: a fixed projection of the mean colours of sixteen parts of the crop."""
    projection = np.random.default_rng(seed).normal(size=(48, dim)).astype(np.float32)
    quarter = side // 4
    cells: dict[str, Any] = {"kernel_shape": [quarter, quarter], "strides": [quarter, quarter]}
    nodes = [
        helper.make_node("AveragePool", ["planes" if channels_last else "data"], ["p"], **cells),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("MatMul", ["f", "projection"], ["embedding"]),
    ]
    if channels_last:
        nodes.insert(0, helper.make_node("Transpose", ["data"], ["planes"], perm=[0, 3, 1, 2]))
    axes = [batch, side, side, 3] if channels_last else [batch, 3, side, side]
    graph = helper.make_graph(
        nodes,
        "arcface",
        [_tensor("data", axes)],
        [_tensor("embedding", [batch, dim])],
        [numpy_helper.from_array(projection, "projection")],
    )
    recognition = RecognitionSpec(dim=dim, preprocessing=preprocessing)
    return save(graph, folder / "arcface.onnx", "recognition", InputSpec(), recognition)


def genderage(folder: Path, *, side: int = 96, batch: Axis = "N") -> ModelFile:
    """Return a genderage network: logits are mean blue and red / 64, the age mean green / 255."""
    matrix = np.array([[0, 1 / 64, 0], [0, 0, 1 / 255], [1 / 64, 0, 0]], np.float32)
    return linear(folder, "genderage", matrix, side=side, batch=batch)


def linear(
    folder: Path,
    name: str,
    matrix: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    side: int,
    batch: Axis = "N",
    axes: Sequence[Axis | None] | None = None,
    channels_last: bool = False,
    color: ColorOrder = "rgb",
) -> ModelFile:
    """Return a network that gives the mean colour of a crop, 0..255, times `matrix`, plus `bias`.

    Args:
        folder: where the file is written.
        name: of the file and the model.
        matrix: [C, K], C the number of channels.
        bias: [K]; None: nothing.
        side: of the crops, pixels.
        batch: crops in a run; a word: free.
        axes: the declared input, instead of what follows from the others.
        channels_last: whether it wants [N, S, S, C].
        color: of what its manifest says.
    """
    channels, length = matrix.shape
    plane: Sequence[Axis | None] = (
        [side, side, channels] if channels_last else [channels, side, side]
    )
    nodes = [
        helper.make_node("GlobalAveragePool", ["planes" if channels_last else "data"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("MatMul", ["f", "matrix"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["fc1"]),
    ]
    if channels_last:
        nodes.insert(0, helper.make_node("Transpose", ["data"], ["planes"], perm=[0, 3, 1, 2]))
    added = np.zeros(length) if bias is None else bias
    graph = helper.make_graph(
        nodes,
        "linear",
        [_tensor("data", axes or [batch, *plane])],
        [_tensor("fc1", [batch, length])],
        [
            numpy_helper.from_array(matrix.astype(np.float32), "matrix"),
            numpy_helper.from_array(added.astype(np.float32), "bias"),
        ],
    )
    spec = InputSpec((side, side), color, 0.0, 1.0)
    return save(graph, folder / f"{name}.onnx", "attributes", spec)


def doubler(folder: Path) -> ModelFile:
    """Return the smallest network there is: ``x`` [N, 2] float to ``y`` = 2 ``x``."""
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        "doubler",
        [_tensor("x", ["N", 2])],
        [_tensor("y", ["N", 2])],
    )
    return save(graph, folder / "doubler.onnx", "attributes", InputSpec())


def adder(folder: Path, inputs: Mapping[str, str]) -> ModelFile:
    """Return a network that gives the sum of its inputs [N, 2], of the types given by name."""
    names, kinds = list(inputs), [getattr(TensorProto, kind) for kind in inputs.values()]
    graph = helper.make_graph(
        [helper.make_node("Add", [names[0], names[-1]], ["sum"])],
        "adder",
        [helper.make_tensor_value_info(*each, ["N", 2]) for each in zip(names, kinds, strict=True)],
        [helper.make_tensor_value_info("sum", kinds[0], ["N", 2])],
    )
    return save(graph, folder / "adder.onnx", "attributes", InputSpec())


def save(
    graph: onnx.GraphProto,
    path: Path,
    task: Task,
    spec: InputSpec,
    recognition: RecognitionSpec | None = None,
) -> ModelFile:
    """Write a graph as an ONNX file and return what a model store would say about it."""
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    name = path.stem
    description = ModelSpec(
        name, path.name, task, name, digest, input=spec, recognition=recognition
    )
    return ModelFile(path, digest, description)


def _tensor(name: str, shape: Sequence[Axis | None]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
