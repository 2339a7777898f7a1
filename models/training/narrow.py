"""Leave out channels of a trained network, where a narrower one starts from it.

The channels that stay are those that tell most of what the next layer is given, and what the
others told is written into the next layer as far as the ones that stay tell it too (least
squares on one batch; arXiv:1707.06168).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facecv.core.arrays import Floats

SAMPLES = 200_000


def narrow(
    layer: tuple[Floats, Floats], after: tuple[Floats, Floats], told: Floats, count: int
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Return weight and bias of a convolution of *count* outputs, and of the one after it.

    *told* is what the second is given by the first now: [n,C,H,W].
    """
    (weight, bias), (reader, its_bias) = layer, after
    rows = told.transpose(1, 0, 2, 3).reshape(len(weight), -1).T.astype(np.float64)
    rows = rows[:: -(-len(rows) // SAMPLES)]
    importance = np.sqrt((reader.astype(np.float64) ** 2).sum((0, 2, 3)))
    keep = chosen((rows - rows.mean(0)) * importance, count)
    drop = np.setdiff1d(np.arange(len(weight)), keep)
    known = np.hstack([rows[:, keep], np.ones((len(rows), 1))])
    square = known.T @ known
    square += 1e-4 * np.trace(square) / len(square) * np.diag([*[1.0] * count, 0.0])
    share = np.linalg.solve(square, known.T @ rows[:, drop])
    kernel = reader[:, keep] + np.einsum("odij,kd->okij", reader[:, drop], share[:-1])
    shift = its_bias + reader[:, drop].sum((2, 3)) @ share[-1]
    return (weight[keep], bias[keep]), (kernel.astype(np.float32), shift.astype(np.float32))


def chosen(rows: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.intp]:
    """Return which *count* columns tell most of all columns, each chosen given those before."""
    rest = rows.T @ rows
    picked: list[int] = []
    for _ in range(count):
        size = np.diag(rest).clip(min=1e-12)
        gain = (rest**2).sum(0) / size
        gain[size < 1e-9 * size.max()] = 0
        gain[picked] = -1
        best = int(gain.argmax())
        picked.append(best)
        rest = rest - np.outer(rest[best], rest[best]) / size[best]
    return np.sort(np.array(picked))
