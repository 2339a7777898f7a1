"""From the raw outputs of SCRFD to candidate faces."""

import math
from collections.abc import Sequence
from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from facecv.adapters.detectors.scrfd_layout import Layout, Size
from facecv.core.arrays import Floats
from facecv.core.errors import InferenceError
from facecv.core.face import Detection
from facecv.core.geometry import Box, nms

_COARSE = 32
"""Stride, in pixels, from which on anchors are as large as faces that fill a picture."""

_SIGNS = np.array([-1, -1] + [1] * 12, dtype=np.float32)
"""The upper left corner lies before the anchor; the other corner and landmarks after it."""


@attrs.frozen(eq=False)
class Candidates:
    """Faces that may be, before non-maximum suppression.

    Attributes:
        points: float32 [N, 2 or 7, 2]: two corners of the box, then five landmarks if known.
        scores: float32 [N].
        hint: the best score, however low, of the anchors for large faces; 1: not known.
        ranks: float32 [N], the order in which they suppress one another; the scores at first.
    """

    points: Floats
    scores: Floats
    hint: float = 1.0
    ranks: Floats = attrs.field(
        default=attrs.Factory(lambda self: self.scores, takes_self=True), kw_only=True
    )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the candidates of several passes or strides as one; at least one part."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([part.points for part in parts]),
            np.concatenate([part.scores for part in parts]),
            max(part.hint for part in parts),
            ranks=np.concatenate([part.ranks for part in parts]),
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
        return self._where(np.asarray(longer >= side))

    def sound(self) -> Self:
        """Return the candidates whose numbers are finite and whose boxes have an area."""
        wide, finite = self.points[:, 1] > self.points[:, 0], np.isfinite(self.points)
        if wide.all() and finite.all():
            return self
        return self._where(np.asarray(wide.all(axis=1) & finite.all(axis=(1, 2))))

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

    def _where(self, kept: NDArray[np.bool_]) -> Self:
        return attrs.evolve(
            self, points=self.points[kept], scores=self.scores[kept], ranks=self.ranks[kept]
        )


@attrs.frozen(eq=False)
class Anchors:
    """The anchors of all strides for one size of the input, one after another.

    Attributes:
        centres: float32 [R, 1, 2], where they sit, pixels of the input.
        strides: float32 [R, 1], the unit of their offsets, pixels.
        starts: the first row of each stride.
    """

    centres: Floats
    strides: Floats
    starts: tuple[int, ...]

    @classmethod
    def of(cls, layout: Layout, size: Size) -> Self:
        """Return the anchors of a network for an input of this width and height."""
        strides = [level.stride for level in layout.levels]
        parts = [_centres(size, stride, layout.anchors) for stride in strides]
        counts = [len(part) for part in parts]
        return cls(
            np.concatenate(parts),
            np.repeat(np.array(strides, np.float32), counts).reshape(-1, 1),
            (0, *np.cumsum(counts[:-1]).tolist()),
        )

    def points(self, rows: NDArray[np.intp], offsets: Floats) -> Floats:
        """Return where the offsets of some anchors point to.

        Args:
            rows: N of the anchors.
            offsets: float32 [N, 4 or 14], as the network gives them.

        Returns:
            Corners and landmarks, float32 [N, 2 or 7, 2], pixels of the input.
        """
        moves = offsets * self.strides[rows] * _SIGNS[: offsets.shape[1]]
        points: Floats = moves.reshape(len(rows), -1, 2) + self.centres[rows]
        return points


def decode(
    outputs: Sequence[NDArray[Any]], layout: Layout, anchors: Anchors, threshold: float
) -> Candidates:
    """Return the candidates of one picture that reach `threshold`.

    Args:
        outputs: of that picture, each [rows, k], in the network's order.
        layout: what each of them is.
        anchors: those of the network for this size of the input.
        threshold: the least score; nothing below it is decoded.

    Raises:
        InferenceError: a score is not a number.
    """
    parts, hint = [], 0.0
    for level, start in zip(layout.levels, anchors.starts, strict=True):
        scores = outputs[level.scores].ravel()
        best = float(scores.max())
        if best >= threshold:
            rows = np.flatnonzero(scores >= threshold)
            offsets = np.concatenate([outputs[index][rows] for index in level.offsets], axis=1)
            parts.append((rows + start, scores[rows], offsets))
        elif math.isnan(best):
            raise InferenceError("the detector gave scores that are not numbers")
        if level.stride >= _COARSE:
            hint = max(hint, best)
    if not parts:
        count = 2 + 5 * (layout.levels[0].landmarks is not None)
        return Candidates(np.empty((0, count, 2), np.float32), np.empty(0, np.float32), hint)
    rows, scores, offsets = map(np.concatenate, zip(*parts, strict=True))
    return Candidates(anchors.points(rows, offsets), scores, hint).sound()


def _centres(size: Size, stride: int, anchors: int) -> Floats:
    """Return where the anchors of a stride sit, float32 [rows, 1, 2]."""
    ys, xs = np.mgrid[: size[1] // stride, : size[0] // stride]
    centres = np.stack([xs, ys], axis=-1).reshape(-1, 1, 2) * stride
    return np.repeat(centres, anchors, axis=0).astype(np.float32)
