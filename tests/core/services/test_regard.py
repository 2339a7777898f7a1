"""When a face is looked at again, and how often in all."""

import attrs
import pytest

from facecv.core.face import Detection, Face
from facecv.core.gallery import Identification, Match, Person
from facecv.core.geometry import Box
from facecv.core.services.ballot import Ballot
from facecv.core.services.regard import Allowance, LookOptions, Regard

OPTIONS = LookOptions(agree=2, least_quality=0.2, better=1.5, recheck=10.0)
FACE = Face(Detection(Box(0, 0, 10, 10), 0.9))
ANN = Identification("match", (Match(Person("Ann"), "f", 0.7),), 0.4)


def named(quality: float = 0.4) -> Regard:
    regard = Regard("t", Ballot())
    for time in (0.0, 0.5):
        regard.look(FACE, quality, ANN, time)
    return regard


def test_a_new_face_is_looked_at_unless_it_is_seen_badly() -> None:
    regard = Regard("t", Ballot())
    assert regard.is_due(0.2, 0.0, OPTIONS)
    assert not regard.is_due(0.19, 0.0, OPTIONS)


def test_a_face_with_a_name_is_left_alone() -> None:
    assert not named().is_due(0.5, 2.0, OPTIONS)


def test_a_clearly_better_view_is_worth_a_look() -> None:
    assert named().is_due(0.61, 2.0, OPTIONS)


def test_many_times_nothing_is_nothing() -> None:
    """A face that is always seen badly is not looked at on every frame."""
    options = attrs.evolve(OPTIONS, least_quality=0.0)
    assert not named(0.0).is_due(0.0, 2.0, options)
    assert not named(0.01).is_due(0.02, 2.0, options)


def test_after_a_while_a_name_is_checked() -> None:
    """Two faces may have been mixed up."""
    assert not named().is_due(0.4, 10.4, OPTIONS)
    assert named().is_due(0.4, 10.5, OPTIONS)


def test_a_face_that_stays_open_is_looked_at_less_and_less() -> None:
    regard = Regard("t", Ballot())
    looks, time = 0, 0.0
    while time < 10.0:
        if regard.is_due(0.4, time, OPTIONS):
            looks += 1
            regard.look(FACE, 0.4, Identification("ambiguous", ANN.matches, 0.4), time)
        time += 0.05
    assert 10 <= looks <= 18


@pytest.mark.parametrize("rate", [0.5, 2.0, 20.0])
def test_looks_a_second_are_bounded(rate: float) -> None:
    """Over ten seconds, plus what may be saved up."""
    allowance = Allowance(rate)
    given = sum(allowance.take(100, step / 50) for step in range(500))
    assert rate * 10 - 1 <= given <= rate * 10 + max(rate, 1)


def test_what_is_not_wanted_is_saved_for_a_second_only() -> None:
    allowance = Allowance(5.0)
    assert allowance.take(0, 0.0) == 0
    assert allowance.take(100, 60.0) == 5
