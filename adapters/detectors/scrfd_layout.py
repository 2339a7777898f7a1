"""What the outputs of an SCRFD network are, told by their shapes alone.

Exports differ in names, order and rank, so nothing here looks at names. The last axis says what an
output holds (1: scores, 4: boxes, 10: landmarks); the number of rows, for an input of known size,
says its stride. One run on a black picture settles both.
"""

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from facecv.adapters.imaging.tensors import INPUTS
from facecv.core.errors import InferenceError, ModelSignatureError
from facecv.core.ports.inference_backend import Session, TensorSpec

Size = tuple[int, int]

EXPECTED = (
    "an SCRFD network has one input [N, 3, H, W] and, for each of its 3 or 5 strides (8 to 32 or "
    "8 to 128), outputs whose last axis is 1 (scores), 4 (boxes) and perhaps 10 (landmarks)"
)
_LEVELS = {6: 3, 9: 3, 10: 5, 15: 5}
_SCORES, _BOXES, _LANDMARKS = 1, 4, 10


@attrs.frozen
class Level:
    """The outputs of one stride.

    Attributes:
        stride: pixels of the input between neighbouring anchors.
        scores: index of the output [.., rows, 1].
        boxes: index of the output [.., rows, 4].
        landmarks: index of the output [.., rows, 10]; None if the network finds none.
    """

    stride: int
    scores: int
    boxes: int
    landmarks: int | None

    @property
    def offsets(self) -> tuple[int, ...]:
        """Indices of the outputs that tell where faces are: boxes, and landmarks if any."""
        return (self.boxes,) if self.landmarks is None else (self.boxes, self.landmarks)


@attrs.frozen
class Layout:
    """How to feed and read one SCRFD network.

    Attributes:
        input_name: name of its input.
        levels: its outputs, by rising stride.
        anchors: anchors at each position.
        fixed_size: width and height of the input; None: free.
        batched: whether several pictures may go through in one run.
    """

    input_name: str
    levels: tuple[Level, ...]
    anchors: int
    fixed_size: Size | None
    batched: bool

    @property
    def multiple(self) -> int:
        """What the sides of the input must be multiples of."""
        return self.levels[-1].stride


def read_layout(session: Session) -> Layout:
    """Return the layout of the network in `session`.

    Raises:
        ModelSignatureError: it is not an SCRFD network; says what was expected.
    """
    tensor = _input(session)
    count = _LEVELS.get(len(session.outputs))
    if count is None:
        raise _refusal(f"the network has {len(session.outputs)} outputs")
    strides = [8 << level for level in range(count)]
    height, width = tensor.shape[2:]
    fixed = (width, height) if width and height else None
    probe = fixed or (2 * strides[-1], 2 * strides[-1])
    outputs = _run(session, tensor, probe)
    levels, anchors = _match([output.shape for output in outputs], probe, strides)
    batched = tensor.shape[0] is None and all(output.ndim == 3 for output in outputs)
    return Layout(tensor.name, levels, anchors, fixed, batched)


def _input(session: Session) -> TensorSpec:
    if len(session.inputs) != 1:
        raise _refusal(f"the network has {len(session.inputs)} inputs")
    tensor = session.inputs[0]
    if len(tensor.shape) != 4 or tensor.shape[1] not in {3, None} or tensor.dtype not in INPUTS:
        raise _refusal(f"the input is {tensor.dtype} {list(tensor.shape)}")
    if tensor.shape[0] not in {1, None}:
        raise _refusal(f"the input takes exactly {tensor.shape[0]} pictures")
    return tensor


def _run(session: Session, tensor: TensorSpec, size: Size) -> list[NDArray[Any]]:
    black = np.zeros((1, 3, size[1], size[0]), tensor.dtype)
    try:
        return session.run({tensor.name: black})
    except InferenceError as error:
        raise _refusal(f"it does not run on a picture of {size[0]}x{size[1]}") from error


def _match(
    shapes: Sequence[tuple[int, ...]], size: Size, strides: Sequence[int]
) -> tuple[tuple[Level, ...], int]:
    """Return the levels, and the anchors at each position, that the shapes of outputs tell."""
    places = [(size[0] // stride) * (size[1] // stride) for stride in strides]
    most = max(shape[-2] if len(shape) > 1 else 0 for shape in shapes)
    anchors = max(1, most // places[0])
    found: dict[tuple[int, int], int] = {}
    for index, shape in enumerate(shapes):
        if len(shape) not in {2, 3} or (len(shape) == 3 and shape[0] != 1):
            raise _refusal(f"an output is {list(shape)}")
        found[shape[-2], shape[-1]] = index
    try:
        levels = tuple(
            Level(
                stride,
                scores=found.pop((rows * anchors, _SCORES)),
                boxes=found.pop((rows * anchors, _BOXES)),
                landmarks=found.pop((rows * anchors, _LANDMARKS), None),
            )
            for stride, rows in zip(strides, places, strict=True)
        )
    except KeyError as error:
        raise _refusal(f"its outputs are {[list(shape) for shape in shapes]}") from error
    if found or len({level.landmarks is None for level in levels}) > 1:
        raise _refusal(f"its outputs are {[list(shape) for shape in shapes]}")
    return levels, anchors


def _refusal(what: str) -> ModelSignatureError:
    return ModelSignatureError(f"this is not an SCRFD network: {what}", hint=EXPECTED)
