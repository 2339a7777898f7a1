"""Statistics of verification, on scores whose answers are known."""

import numpy as np
import pytest

from facecv.core.errors import InputError
from facecv.core.evaluation import (
    Roc,
    ScoreCounts,
    accuracy,
    folded_accuracy,
    stratified_folds,
)


def roc(genuine: list[float], impostors: list[float]) -> Roc:
    same = [True] * len(genuine) + [False] * len(impostors)
    return Roc.of(ScoreCounts.of_pairs(genuine + impostors, same))


def test_perfect_scores_have_no_errors() -> None:
    curve = roc([0.9, 0.8], [0.1, 0.2])
    assert (curve.auc, curve.eer) == (1.0, 0.0)
    assert curve.at_far(0.0).tar == 1.0
    assert curve.best_threshold == pytest.approx(0.5)  # midway between 0.2 and 0.8


def test_reversed_scores_are_always_wrong() -> None:
    curve = roc([0.1, 0.2], [0.8, 0.9])
    assert (curve.auc, curve.eer) == (0.0, 1.0)


def test_equal_scores_are_chance() -> None:
    """A tie counts half, and no threshold can part it."""
    curve = roc([0.5] * 4, [0.5] * 6)
    assert curve.auc == pytest.approx(0.5)
    assert curve.eer == pytest.approx(0.5)
    assert curve.at_far(0.9).tar == 0.0
    assert curve.at_far(1.0).tar == 1.0


def test_auc_is_the_share_of_ordered_pairs() -> None:
    rng = np.random.default_rng(3)
    genuine = np.round(rng.normal(1.0, 1.0, 60), 1)  # rounded, so that there are ties
    impostors = np.round(rng.normal(0.0, 1.0, 90), 1)
    wins = (genuine[:, None] > impostors).mean() + (genuine[:, None] == impostors).mean() / 2
    assert roc(genuine.tolist(), impostors.tolist()).auc == pytest.approx(wins)


def test_equal_error_rate_of_overlapping_scores() -> None:
    """One of four genuine pairs lies below one of four impostors."""
    curve = roc([0.3, 0.7, 0.8, 0.9], [0.1, 0.2, 0.25, 0.6])
    assert curve.eer == pytest.approx(0.25)


def test_far_admits_exactly_its_share_of_impostors() -> None:
    impostors = [i / 1000 for i in range(1000)]
    curve = roc([0.95, 0.9895, 0.9905], impostors)
    point = curve.at_far(0.01)
    assert point.far == 0.01  # 0.990 to 0.999: ten of a thousand
    assert point.threshold == 0.9895  # the lowest similarity above the eleventh impostor's
    assert point.tar == pytest.approx(2 / 3)
    assert sum(score >= point.threshold for score in impostors) == 10


def test_ties_at_the_limit_are_all_rejected() -> None:
    """Ten impostors share a similarity: a rate that allows five of them allows none."""
    curve = roc([0.4, 0.9], [0.5] * 10 + [0.1] * 90)
    assert curve.at_far(0.05).far == 0.0
    assert curve.at_far(0.05).threshold == 0.9
    assert curve.at_far(0.10).far == 0.1


def test_rates_that_the_impostors_cannot_measure_are_marked() -> None:
    curve = roc([0.9], [0.1] * 500)
    assert [curve.at_far(far).reliable for far in (1e-1, 2e-2, 1e-2)] == [True, True, False]


def test_a_missing_genuine_pair_is_rejected_at_every_threshold() -> None:
    counts = ScoreCounts.of_pairs([0.9, np.nan, 0.1, np.nan], [True, True, False, False])
    curve = Roc.of(counts)
    assert (curve.genuine, curve.impostors) == (2, 1)
    assert curve.at_far(1.0).tar == 0.5
    assert curve.auc == 0.5
    assert curve.eer == pytest.approx(0.5)


def test_a_missing_pair_is_wrong_either_way() -> None:
    scores, same = [0.9, np.nan, 0.1, np.nan], [True, True, False, False]
    assert accuracy(scores, same, 0.5) == 0.5


def test_best_threshold_lies_midway_between_scores() -> None:
    """Anything above 0.3 and up to 0.6 makes one error."""
    curve = roc([0.1, 0.6, 0.7], [0.0, 0.2, 0.3])
    assert curve.best_threshold == pytest.approx(0.45)


def test_best_threshold_may_reject_everything() -> None:
    curve = roc([0.1], [0.5] * 5)
    assert curve.best_threshold > 0.5


def test_each_fold_is_judged_by_the_others() -> None:
    """The second fold's scores lie 0.5 higher, so the others' threshold fails it."""
    scores = [0.1, 0.3, 0.6, 0.8]
    result = folded_accuracy(scores, [False, True, False, True], [0, 0, 1, 1])
    assert result.thresholds == pytest.approx((0.7, 0.2))
    assert result.folds == (0.5, 0.5)
    assert (result.mean, result.std) == (0.5, 0.0)


def test_accuracy_and_its_spread_over_folds() -> None:
    folds = np.repeat(np.arange(10), 2)
    same = np.tile([True, False], 10)
    scores = np.where(same, 0.8, 0.1)
    scores[0] = 0.0  # one genuine pair of fold 0 is hopeless
    result = folded_accuracy(scores, same, folds)
    assert result.folds == (0.5, *[1.0] * 9)
    assert result.mean == pytest.approx(0.95)
    assert result.std == pytest.approx(0.15)


def test_folds_hold_as_much_of_each_kind() -> None:
    same = np.array([True] * 30 + [False] * 50)
    folds = stratified_folds(same)
    assert np.bincount(folds[same]).tolist() == [3] * 10
    assert np.bincount(folds[~same]).tolist() == [5] * 10


@pytest.mark.parametrize(
    ("scores", "same"),
    [
        ([0.1, 0.2], [False, False]),
        ([0.1, 0.2], [True, True]),
        ([np.nan, 0.2], [True, False]),
        ([0.1], [True, False]),
        ([np.inf, 0.1], [True, False]),
        ([], []),
    ],
)
def test_scores_that_say_nothing_are_refused(scores: list[float], same: list[bool]) -> None:
    with pytest.raises(InputError):
        ScoreCounts.of_pairs(scores, same)


def test_one_fold_is_refused() -> None:
    with pytest.raises(InputError, match="two folds"):
        folded_accuracy([0.1, 0.9], [False, True], [0, 0])
