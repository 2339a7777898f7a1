"""Whether a network in fewer bits still gives the answers of the one that it was made of."""

from collections.abc import Sequence

import attrs
import numpy as np

from facecv.core.arrays import Pixels
from facecv.core.face import Detection
from facecv.core.ports.detector import Detector, DetectorOptions
from facecv.core.ports.embedder import Embedder


@attrs.frozen
class Agreement:
    """How far the answers of two networks agree.

    Attributes:
        measure: what the figures are: ``cosine`` of embeddings, or ``overlap`` of boxes (IoU; a
            face that only one of the two finds counts 0).
        samples: number of faces.
        mean: over the faces.
        least: of a face.
    """

    measure: str
    samples: int
    mean: float
    least: float


def compare_embedders(one: Embedder, other: Embedder, crops: Pixels) -> Agreement:
    """Return the agreement of embeddings of aligned faces, uint8 [N, S, S, 3] BGR, N > 0."""
    first, second = one.embed(crops)[0], other.embed(crops)[0]
    cosines = (first * second).sum(axis=1)
    return _agreement("cosine", [float(cosine) for cosine in cosines])


def compare_detectors(
    one: Detector, other: Detector, pictures: Sequence[Pixels], options: DetectorOptions
) -> Agreement:
    """Return the agreement of boxes found in pictures, each uint8 [H, W, 3] BGR.

    Faces within 0.1 of the score threshold are left out where one network alone finds them: which
    side of it they fall on is chance.
    """
    overlaps: list[float] = []
    for picture in pictures:
        first, second = (each.detect([picture], options)[0] for each in (one, other))
        overlaps += _overlaps(first, second, options.score_threshold + 0.1)
    return _agreement("overlap", overlaps or [1.0])


def _overlaps(first: Sequence[Detection], second: Sequence[Detection], sure: float) -> list[float]:
    """Return the IoU of each pair of boxes of one face, and 0 for faces that one side misses."""
    rest, found = list(second), []
    for face in first:
        best = max(rest, key=lambda each: face.box.iou(each.box), default=None)
        overlap = face.box.iou(best.box) if best else 0.0
        if best and overlap > 0:
            rest.remove(best)
        if overlap > 0 or face.score >= sure:
            found.append(overlap)
    return found + [0.0 for each in rest if each.score >= sure]


def _agreement(measure: str, values: Sequence[float]) -> Agreement:
    return Agreement(measure, len(values), float(np.mean(values)), float(np.min(values)))
