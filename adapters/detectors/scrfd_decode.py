"""From the raw outputs of SCRFD to candidate faces."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from facecv.adapters.detectors.scrfd_layout import Layout, Level
from facecv.core.arrays import Floats
from facecv.core.errors import InferenceError
from facecv.core.face import Detection
from facecv.core.geometry import Box, nms

Size = tuple[int, int]
Centres = Callable[[Size, int, int], Floats]

_CORNER_SIGNS = np.array([[-1, -1], [1, 1]], dtype=np.float32)


@attrs.frozen(eq=False)
class Candidates:
    """Faces that may be, before non-maximum suppression.

    Attributes:
        points: float32 [N, 2 or 7, 2]: two corners of the box, then five landmarks if known.
        scores: float32 [N].
        ranks: float32 [N], the order in which they suppress one another; the scores at first.
    """

    points: Floats
    scores: Floats
    ranks: Floats = attrs.field(default=attrs.Factory(lambda self: self.scores, takes_self=True))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the candidates of several passes or strides as one; at least one part."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([part.points for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.ranks for part in parts]),
        )

    def unscaled(self, scale: tuple[float, float]) -> Self:
        """Return the candidates in the pixels from which `scale` (x, y) led to the present ones."""
        factors: Floats = np.array(scale, np.float32)
        points: Floats = self.points / factors
        return attrs.evolve(self, points=points)

    def preferred_from(self, score: float) -> Self:
        """Return the candidates, of which those of at least `score` rank before all others."""
        ranks = self.scores + (self.scores >= score).astype(np.float32)
        return attrs.evolve(self, ranks=ranks)

    def largest(self, score: float) -> float:
        """Return the longest side, in pixels, of the boxes of at least `score`; 0 without any."""
        boxes = self.points[self.scores >= score, :2]
        return float((boxes[:, 1] - boxes[:, 0]).max(initial=0.0))

    def at_least(self, side: float) -> Self:
        """Return the candidates whose boxes' longer side is at least so many pixels."""
        longer = (self.points[:, 1] - self.points[:, 0]).max(axis=1)
        kept = longer >= side
        return type(self)(self.points[kept], self.scores[kept], self.ranks[kept])

    def detections(self, nms_threshold: float) -> list[Detection]:
        """Return what non-maximum suppression leaves, by falling score."""
        boxes = self.points[:, :2].reshape(-1, 4)
        kept = nms(boxes, self.ranks, nms_threshold)
        return [
            Detection(
                Box(*boxes[index].tolist()),
                float(self.scores[index]),
                self.points[index, 2:] if self.points.shape[1] > 2 else None,
            )
            for index in kept[np.argsort(-self.scores[kept], kind="stable")]
        ]


def anchor_centres(size: Size, stride: int, anchors: int) -> Floats:
    """Return where the anchors of a stride sit, float32 [rows, 1, 2], in pixels of the input."""
    ys, xs = np.mgrid[: size[1] // stride, : size[0] // stride]
    centres = np.stack([xs, ys], axis=-1).reshape(-1, 1, 2) * stride
    return np.repeat(centres, anchors, axis=0).astype(np.float32)


def decode(
    outputs: Sequence[NDArray[Any]], layout: Layout, size: Size, threshold: float, centres: Centres
) -> Candidates:
    """Return the candidates of one picture that reach `threshold`.

    Args:
        outputs: of that picture, each [rows, k], in the network's order.
        layout: what each of them is.
        size: width and height of the network's input.
        threshold: the least score; nothing below it is decoded.
        centres: `anchor_centres`, or a cache in front of it.

    Raises:
        InferenceError: a score is not a number.
    """
    parts = []
    for level in layout.levels:
        scores = outputs[level.scores].ravel()
        best = scores.max()
        if np.isnan(best):
            raise InferenceError("the detector gave scores that are not numbers")
        if best >= threshold:
            rows = np.flatnonzero(scores >= threshold)
            anchors = centres(size, level.stride, layout.anchors)[rows]
            parts.append(Candidates(_points(outputs, level, rows, anchors), scores[rows]))
    return _sound(Candidates.joined(parts)) if parts else _nothing(layout)


def _points(
    outputs: Sequence[NDArray[Any]], level: Level, rows: NDArray[np.intp], anchors: Floats
) -> Floats:
    """Return corners and landmarks of the chosen rows, float32 [N, 2 or 7, 2]."""
    offsets = outputs[level.boxes][rows].reshape(-1, 2, 2) * _CORNER_SIGNS
    if level.landmarks is not None:
        marks = outputs[level.landmarks][rows].reshape(-1, 5, 2)
        offsets = np.concatenate([offsets, marks], axis=1)
    points: Floats = anchors + offsets * np.float32(level.stride)
    return points


def _sound(candidates: Candidates) -> Candidates:
    """Return the candidates whose numbers are finite and whose boxes have an area."""
    points = candidates.points
    good = (points[:, 1] > points[:, 0]).all(axis=1) & np.isfinite(points).all(axis=(1, 2))
    return candidates if good.all() else Candidates(points[good], candidates.scores[good])


def _nothing(layout: Layout) -> Candidates:
    count = 2 if layout.levels[0].landmarks is None else 7
    return Candidates(np.empty((0, count, 2), np.float32), np.empty(0, np.float32))
