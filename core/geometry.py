"""Boxes, landmarks, non-maximum suppression and the ArcFace alignment, in plain numpy.

Coordinates are pixels with the origin in the top left corner, x to the right, y down.
"""

import math
import operator
from collections.abc import Sequence
from typing import Self

import attrs
import numpy as np
from numpy.typing import NDArray

from facecv.core.arrays import Floats
from facecv.core.errors import InputError

ARCFACE_TEMPLATE: Floats = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ],
    dtype=np.float32,
)
"""Five landmarks of an aligned 112x112 face (ArcFace, arXiv:1801.07698): right eye, left eye (as
the viewer sees them: left, right), nose tip, left and right mouth corner."""
ARCFACE_TEMPLATE.flags.writeable = False

_NMS_BLOCK = 128
"""Boxes that are compared at once, so that many candidates take no memory by their square."""


@attrs.frozen
class Box:
    """An axis-parallel rectangle; `x2` and `y2` lie on its far edge."""

    x1: float = attrs.field(converter=float)
    y1: float = attrs.field(converter=float)
    x2: float = attrs.field(converter=float)
    y2: float = attrs.field(converter=float)

    def __attrs_post_init__(self) -> None:
        finite = all(map(math.isfinite, self.as_tuple()))
        if not (finite and self.x1 <= self.x2 and self.y1 <= self.y2):
            raise InputError(f"not a box: {self.x1}, {self.y1}, {self.x2}, {self.y2}")

    @property
    def width(self) -> float:
        """Extent in x, pixels."""
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        """Extent in y, pixels."""
        return self.y2 - self.y1

    @property
    def area(self) -> float:
        """Width times height, square pixels."""
        return self.width * self.height

    @property
    def center(self) -> tuple[float, float]:
        """The middle point (x, y)."""
        return (self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2

    def as_tuple(self) -> tuple[float, float, float, float]:
        """Return (x1, y1, x2, y2)."""
        return self.x1, self.y1, self.x2, self.y2

    def clipped(self, width: float, height: float) -> Self:
        """Return the part of the box that lies inside a picture of `width` x `height`."""
        x1, x2 = (min(max(x, 0.0), width) for x in (self.x1, self.x2))
        y1, y2 = (min(max(y, 0.0), height) for y in (self.y1, self.y2))
        return type(self)(x1, y1, x2, y2)

    def moved(self, dx: float, dy: float) -> Self:
        """Return the box shifted by (dx, dy)."""
        return type(self)(self.x1 + dx, self.y1 + dy, self.x2 + dx, self.y2 + dy)

    def scaled(self, factor: float) -> Self:
        """Return the box with all coordinates multiplied by `factor`."""
        return type(self)(*(value * factor for value in self.as_tuple()))

    def iou(self, other: "Box") -> float:
        """Return intersection over union with `other`, 0..1."""
        width = min(self.x2, other.x2) - max(self.x1, other.x1)
        height = min(self.y2, other.y2) - max(self.y1, other.y1)
        if width <= 0 or height <= 0:
            return 0.0
        common = width * height
        return common / (self.area + other.area - common)


def nms(boxes: Floats, scores: Floats, threshold: float) -> NDArray[np.intp]:
    """Return the indices that greedy non-maximum suppression keeps, by falling score.

    Args:
        boxes: float32 [N, 4], x1 y1 x2 y2.
        scores: float32 [N].
        threshold: a box that overlaps a better one by more than this IoU is dropped, 0..1.
    """
    order = np.argsort(-scores, kind="stable")
    planes = boxes[order].T
    alive = np.arange(len(order))
    kept: list[NDArray[np.intp]] = []
    while alive.size:
        head, rest = alive[:_NMS_BLOCK], alive[_NMS_BLOCK:]
        winners = head[_survivors(_overlap(planes[:, head], planes[:, head], threshold))]
        kept.append(winners)
        if rest.size:
            rest = rest[~_overlap(planes[:, winners], planes[:, rest], threshold).any(axis=0)]
        alive = rest
    return order[np.concatenate(kept)] if kept else order


def _overlap(some: Floats, others: Floats, threshold: float) -> NDArray[np.bool_]:
    """Return which boxes [4, N] and boxes [4, M] overlap by more than an IoU, bool [N, M]."""
    ax1, ay1, ax2, ay2 = some[:, :, None]
    bx1, by1, bx2, by2 = others
    width = np.maximum(np.minimum(ax2, bx2) - np.maximum(ax1, bx1), 0)
    height = np.maximum(np.minimum(ay2, by2) - np.maximum(ay1, by1), 0)
    common = width * height
    union = (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - common
    return np.asarray(common > threshold * union)


def _survivors(overlap: NDArray[np.bool_]) -> list[int]:
    """Return which boxes overlap none that survives before them, from bool [N, N]."""
    # Rows as integers: one operation on bits instead of one on an array for each survivor.
    rows = np.packbits(overlap, axis=1, bitorder="little")
    dead, kept = 0, []
    for index, row in enumerate(rows):
        if not dead >> index & 1:
            kept.append(index)
            dead |= int.from_bytes(row.tobytes(), "little")
    return kept


def similarity_transform(source: Floats, target: Floats) -> NDArray[np.float64]:
    """Return the 2x3 similarity (scale, rotation, shift) that takes `source` to `target` best.

    Least squares in closed form: Umeyama, IEEE PAMI 13(4), 1991. A reflection is never returned.

    Args:
        source: float [N, 2] points, N >= 2, not all the same.
        target: float [N, 2] points.

    Raises:
        InputError: the points do not determine a similarity.
    """
    # Numbers instead of arrays: for five points that is several times as fast.
    xs, ys = np.asarray(source, dtype=np.float64).T.tolist()
    us, vs = np.asarray(target, dtype=np.float64).T.tolist()
    if not all(map(math.isfinite, (*xs, *ys))):
        raise InputError("the landmarks are not finite: a face cannot be aligned by them")
    x, y, u, v = (sum(values) / len(values) for values in (xs, ys, us, vs))
    xs, ys, us, vs = _less(xs, x), _less(ys, y), _less(us, u), _less(vs, v)
    variance = _dot(xs, xs) + _dot(ys, ys)
    if variance <= 1e-12:
        raise InputError("the landmarks fall on one point: a face cannot be aligned by them")
    # In two dimensions the rotation that Umeyama takes from a singular value decomposition is a
    # complex division: (a, b) = scale * (cos, sin).
    a = (_dot(xs, us) + _dot(ys, vs)) / variance
    b = (_dot(xs, vs) - _dot(ys, us)) / variance
    if a * a + b * b <= 1e-18:
        raise InputError("the landmarks do not resemble a face: it cannot be aligned by them")
    return np.array([[a, -b, u - a * x + b * y], [b, a, v - b * x - a * y]])


def _less(values: Sequence[float], middle: float) -> list[float]:
    return [value - middle for value in values]


def _dot(some: Sequence[float], others: Sequence[float]) -> float:
    return math.fsum(map(operator.mul, some, others))


def arcface_transform(landmarks: Floats, size: int = 112) -> NDArray[np.float64]:
    """Return the 2x3 matrix from picture coordinates to an aligned `size` x `size` crop.

    As the ArcFace family is trained: a size divisible by 112 scales the template; a size divisible
    by 128 scales it and shifts it by 8/128 of the crop to the right.

    Args:
        landmarks: float32 [5, 2] in the order of `ARCFACE_TEMPLATE`.
        size: side of the crop in pixels.
    """
    if size % 128 == 0 and size % 112 != 0:
        ratio = size / 128
        template = ARCFACE_TEMPLATE * np.float32(ratio)
        template = template + np.array([8 * ratio, 0], dtype=np.float32)
    else:
        template = ARCFACE_TEMPLATE * np.float32(size / 112) if size != 112 else ARCFACE_TEMPLATE
    return similarity_transform(landmarks, template)
