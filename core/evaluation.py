"""How well similarities tell persons apart: ROC, error rates and accuracy over folds.

A genuine pair shows one person, an impostor pair two. A pair is accepted where its similarity
reaches the threshold. A pair without a similarity (NaN: a face was not found) is never right: it
counts as an error of accuracy, and as a genuine pair that no threshold accepts.
"""

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from facecv.core.errors import InputError

Numbers = NDArray[np.float64]
ENOUGH_ERRORS = 10
"""Fewer expected false accepts than this say next to nothing about a false-accept rate."""


@attrs.frozen(eq=False)
class ScoreCounts:
    """How many pairs have each similarity.

    Attributes:
        values: float64 [K], the distinct similarities, rising.
        genuine: int64 [K], genuine pairs of each.
        impostor: int64 [K], impostor pairs of each.
        missed: genuine pairs without a similarity.
    """

    values: Numbers
    genuine: NDArray[np.int64]
    impostor: NDArray[np.int64]
    missed: int = 0

    def __attrs_post_init__(self) -> None:
        if not self.genuine.sum():
            raise InputError("there is no pair of one person with a similarity")
        if not self.impostor.sum():
            raise InputError("there is no pair of different persons with a similarity")

    @classmethod
    def of_pairs(cls, similarity: ArrayLike, same: ArrayLike) -> "ScoreCounts":
        """Count pairs one by one.

        Args:
            similarity: float [N], NaN where a face was not found.
            same: bool [N], whether a pair is genuine.

        Raises:
            InputError: the shapes differ, or a kind of pair is missing.
        """
        scores, genuine = _checked(similarity, same)
        found = ~np.isnan(scores)
        values, places = np.unique(scores[found], return_inverse=True)
        counts = [
            np.bincount(places[kind[found]], minlength=len(values)).astype(np.int64)
            for kind in (genuine, ~genuine)
        ]
        return cls(values, counts[0], counts[1], int((genuine & ~found).sum()))


@attrs.frozen
class RocPoint:
    """What a threshold means.

    Attributes:
        target: the false-accept rate that was asked for.
        far: the one that is reached: share of impostor pairs accepted.
        tar: share of genuine pairs accepted.
        threshold: the least similarity that is accepted.
        reliable: whether there are impostor pairs enough to measure the target.
    """

    target: float
    far: float
    tar: float
    threshold: float
    reliable: bool


@attrs.frozen(eq=False)
class Roc:
    """The receiver operating characteristic.

    Attributes:
        thresholds: float64 [K], falling; nothing reaches the first.
        far: float64 [K], share of impostor pairs that reach each, from 0 to 1.
        tar: float64 [K], share of genuine pairs that reach each, from 0.
        genuine: number of genuine pairs, those without a similarity included.
        impostors: number of impostor pairs that have a similarity.
    """

    thresholds: Numbers
    far: Numbers
    tar: Numbers
    genuine: int
    impostors: int

    @classmethod
    def of(cls, counts: ScoreCounts) -> "Roc":
        """Return the curve of counted similarities, one point for each that occurs."""
        seen = (counts.genuine + counts.impostor) > 0
        values = counts.values[seen][::-1]
        genuine, impostors = int(counts.genuine.sum()) + counts.missed, int(counts.impostor.sum())
        return cls(
            np.concatenate([[np.nextafter(values[0], np.inf)], values]),
            _rising(counts.impostor[seen]) / impostors,
            _rising(counts.genuine[seen]) / genuine,
            genuine,
            impostors,
        )

    @property
    def auc(self) -> float:
        """Area under the curve: the chance that a genuine pair beats an impostor pair."""
        return float((np.diff(self.far) * (self.tar[1:] + self.tar[:-1]) / 2).sum())

    @property
    def eer(self) -> float:
        """Equal error rate: where as many genuine pairs are rejected as impostors accepted."""
        excess = self.far - (1 - self.tar)
        after = int(np.argmax(excess >= 0))
        before = after - 1
        part = excess[before] / (excess[before] - excess[after])
        return float(self.far[before] + part * (self.far[after] - self.far[before]))

    def at_far(self, target: float) -> RocPoint:
        """Return the lowest threshold whose false-accept rate is at most `target`."""
        index = int(np.searchsorted(self.far, target, side="right")) - 1
        return RocPoint(
            target,
            float(self.far[index]),
            float(self.tar[index]),
            float(self.thresholds[index]),
            reliable=target * self.impostors >= ENOUGH_ERRORS - 1e-9,
        )

    @property
    def best_threshold(self) -> float:
        """The threshold of the most right answers; the middle one where several are best."""
        right = self.tar * self.genuine + (1 - self.far) * self.impostors
        best = np.flatnonzero(np.isclose(right, right.max(), rtol=0, atol=1e-6))
        index = int(best[len(best) // 2])
        if index in {0, len(right) - 1}:
            return float(self.thresholds[index])
        return float(self.thresholds[index : index + 2].mean())


@attrs.frozen
class FoldedAccuracy:
    """Accuracy where each fold is judged by the threshold that suits the others best.

    Attributes:
        mean: share of right answers, mean over the folds.
        std: standard deviation over the folds (of a population).
        folds: accuracy of each fold.
        thresholds: the threshold each fold was judged by.
    """

    mean: float
    std: float
    folds: tuple[float, ...]
    thresholds: tuple[float, ...]


def folded_accuracy(similarity: ArrayLike, same: ArrayLike, folds: ArrayLike) -> FoldedAccuracy:
    """Return the accuracy by the protocol of Labeled Faces in the Wild.

    Args:
        similarity: float [N], NaN where a face was not found.
        same: bool [N], whether a pair is genuine.
        folds: int [N], the fold of each pair.

    Raises:
        InputError: the shapes differ, there is one fold only, or the others of a fold lack a kind
            of pair.
    """
    scores, genuine = _checked(similarity, same)
    places = np.asarray(folds)
    if places.shape != scores.shape or len(np.unique(places)) < 2:
        raise InputError("accuracy over folds needs a fold for each pair, and two folds at least")
    rates, thresholds = [], []
    for fold in np.unique(places):
        held_out = places == fold
        others = ScoreCounts.of_pairs(scores[~held_out], genuine[~held_out])
        thresholds.append(Roc.of(others).best_threshold)
        rates.append(accuracy(scores[held_out], genuine[held_out], thresholds[-1]))
    return FoldedAccuracy(
        float(np.mean(rates)), float(np.std(rates)), tuple(rates), tuple(thresholds)
    )


def accuracy(similarity: ArrayLike, same: ArrayLike, threshold: float) -> float:
    """Return the share of pairs that `threshold` judges rightly, 0..1; NaN is never right."""
    scores, genuine = _checked(similarity, same)
    return float((((scores >= threshold) == genuine) & ~np.isnan(scores)).mean())


def stratified_folds(same: ArrayLike, count: int = 10) -> NDArray[np.intp]:
    """Return the fold of each pair, int [N]: `count` runs with as much of each kind in each."""
    genuine = np.asarray(same, dtype=bool)
    folds = np.zeros(len(genuine), dtype=np.intp)
    for kind in (genuine, ~genuine):
        total = int(kind.sum())
        folds[kind] = np.arange(total) * count // max(total, 1)
    return folds


def _checked(similarity: ArrayLike, same: ArrayLike) -> tuple[Numbers, NDArray[np.bool_]]:
    scores = np.asarray(similarity, dtype=np.float64)
    genuine = np.asarray(same, dtype=bool)
    if scores.ndim != 1 or scores.shape != genuine.shape:
        raise InputError(f"{scores.shape} similarities do not fit {genuine.shape} labels")
    if np.isinf(scores).any():
        raise InputError("a similarity is infinite")
    return scores, genuine


def _rising(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many pairs reach each threshold, from the highest threshold on."""
    return np.concatenate([[0], np.cumsum(counts[::-1])])
