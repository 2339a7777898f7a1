"""Which cell of the detector's maps answers for which face: ATSS (arXiv:1912.02424)."""

from __future__ import annotations

from functools import cache

import numpy as np

from facecv.core.arrays import Floats
from facecv.models.training.torchtypes import Rows, Tensor

STRIDES = (8, 16, 32)
ANCHORS = {8: (16, 32), 16: (64, 128), 32: (256, 512)}
NEAREST = 9


@cache
def anchors(size: int) -> tuple[Floats, Floats, Floats]:
    """Return corners [n,2], strides [n] and sides [n] of all anchors of a square of *size* pixels.

    In the order of the maps: stride by stride, row by row, two a cell.
    """
    corners, strides, sides = [], [], []
    for stride in STRIDES:
        ys, xs = np.mgrid[: size // stride, : size // stride]
        corners.append(np.repeat(np.stack([xs, ys], -1).reshape(-1, 2) * stride, 2, axis=0))
        strides.append(np.full(len(corners[-1]), stride))
        sides.append(np.tile(ANCHORS[stride], len(corners[-1]) // 2))
    return tuple(np.concatenate(part).astype(np.float32) for part in (corners, strides, sides))  # type: ignore[return-value]


def overlap(a: Tensor, b: Tensor) -> Tensor:
    """Return the intersection over union of boxes [..., 4], broadcast."""
    top, low = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    shared = np.clip(low - top, 0, None).prod(-1)
    area = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1)
    return shared / (area - shared + 1e-6)


def assign(boxes: Floats, ignored: Rows, size: int) -> Tensor:
    """Return for each anchor the index of its face, -1 for none, -2 where the loss must not look.

    A face gets, of its nearest anchors on every stride, those that overlap it more than mean and
    deviation of them do and whose corner lies inside.
    """
    corners, strides, sides = anchors(size)
    owner = np.full(len(corners), -1, np.int64)
    best = np.zeros(len(corners), np.float32)
    shapes = np.concatenate([corners - sides[:, None] / 2, corners + sides[:, None] / 2], 1)
    for index, box in enumerate(boxes):
        middle = (box[:2] + box[2:]) / 2
        distance = ((corners - middle) ** 2).sum(1)
        if ignored[index]:
            inside = ((corners >= box[:2]) & (corners <= box[2:])).all(1)
            owner[inside & (owner < 0)] = -2
            continue
        near = np.concatenate([_nearest(distance, np.flatnonzero(strides == s)) for s in STRIDES])
        shared = overlap(shapes[near], box[None])
        inside = ((corners[near] > box[:2]) & (corners[near] < box[2:])).all(1)
        chosen = inside & (shared >= min(shared.mean() + shared.std(), shared.max()))
        chosen &= shared > best[near]
        owner[near[chosen]], best[near[chosen]] = index, shared[chosen]
    return owner


def _nearest(distance: Floats, rows: Rows) -> Tensor:
    count = min(NEAREST * 2, len(rows))
    return rows[np.argpartition(distance[rows], count - 1)[:count]]
