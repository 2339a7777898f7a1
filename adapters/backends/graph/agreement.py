"""Whether two networks are the same function, as far as random pictures can tell."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facecv.core.pack import InputSpec

_BATCH, _SIDE = 2, 128
_TOLERANCE = 1e-4


def probe(session: Any, spec: InputSpec) -> dict[str, NDArray[np.float32]] | None:  # noqa: ANN401
    """Return random pixels, normalised as `spec` says, for each input of a network.

    Two pictures, unless the network takes another number; free axes get 128 pixels or the size in
    `spec`. None: an input takes something else than floats.
    """
    rng = np.random.default_rng(0)
    feeds = {}
    for tensor in session.get_inputs():
        if tensor.type != "tensor(float)":
            return None
        width, height = spec.size or (_SIDE, _SIDE)
        axes = [
            axis if isinstance(axis, int) and axis > 0 else default
            for axis, default in zip(tensor.shape, (_BATCH, 3, height, width), strict=False)
        ]
        axes[:1] = [_BATCH] if axes[:1] == [1] else axes[:1]
        pixels = rng.integers(0, 256, axes).astype(np.float32)
        feeds[tensor.name] = (pixels - np.float32(spec.mean)) / np.float32(spec.std)
    return feeds


def disagreement(
    one: Any,  # noqa: ANN401 - sessions of ONNX Runtime, which have no types
    other: Any,  # noqa: ANN401
    feeds: Mapping[str, NDArray[np.float32]],
) -> float:
    """Return the largest difference of any output, as a share of that output's largest value."""
    worst = 0.0
    for mine, yours in zip(_answers(one, feeds), _answers(other, feeds), strict=True):
        if mine.shape != yours.shape or not np.isfinite(yours).all():
            return float("inf")
        scale = float(np.abs(mine).max(initial=0.0)) or 1.0
        worst = max(worst, float(np.abs(mine - yours).max(initial=0.0)) / scale)
    return worst


def _answers(session: Any, feeds: Mapping[str, NDArray[np.float32]]) -> list[NDArray[Any]]:  # noqa: ANN401
    """Return the outputs of a network; one that takes a single picture gets them one by one."""
    if any(tensor.shape[:1] != [1] for tensor in session.get_inputs()):
        return list(session.run(None, feeds))
    single = [
        session.run(None, {name: array[place : place + 1] for name, array in feeds.items()})
        for place in range(_BATCH)
    ]
    return [np.concatenate(parts) for parts in zip(*single, strict=True)]


def agrees(share: float) -> bool:
    """Say whether a `disagreement` is no more than rounding in single precision adds up to."""
    return share <= _TOLERANCE
