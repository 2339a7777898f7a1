"""A name is given when several looks agree."""

import pytest

from facecv.core.gallery import Identification, Match, Person, Status
from facecv.core.services.ballot import Ballot, Look

ANN, BOB = Person("Ann", "ann"), Person("Bob", "bob")


def look(who: Person | None, quality: float = 0.5, similarity: float = 0.7) -> Look:
    if who is None:
        return Look(Identification("unknown", (), 0.4), quality)
    return Look(Identification("match", (Match(who, "f", similarity),), 0.4), quality)


def unclear(quality: float = 0.5) -> Look:
    status: Status = "ambiguous"
    both = (Match(ANN, "f", 0.6), Match(BOB, "g", 0.6))
    return Look(Identification(status, both, 0.4), quality)


def standing(*looks: Look, agree: int = 2) -> str:
    ballot = Ballot(agree)
    for each in looks:
        ballot.cast(each)
    verdict = ballot.verdict()
    return verdict.match.person.name if verdict.match else verdict.standing


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ([], "open"),
        ([look(ANN)], "open"),
        ([look(ANN), look(ANN)], "Ann"),
        ([look(ANN), look(BOB)], "open"),
        ([look(ANN), look(BOB), look(ANN)], "Ann"),
        ([look(None), look(None)], "open"),
        ([look(None)] * 3, "stranger"),
        ([look(ANN), look(None), look(ANN)], "Ann"),
        ([unclear()] * 5, "open"),
        ([look(ANN), look(ANN), unclear(), unclear()], "open"),
        ([look(None, 0.2)] * 3 + [look(ANN, 0.9), look(ANN, 0.9)], "Ann"),
        ([look(ANN, 0.1), look(ANN, 0.1), look(BOB, 0.9)], "open"),
    ],
)
def test_verdicts(looks: list[Look], expected: str) -> None:
    assert standing(*looks) == expected


def test_one_look_may_be_enough() -> None:
    assert standing(look(ANN), agree=1) == "Ann"


def test_a_mistake_does_not_last_for_ever() -> None:
    """Old looks are forgotten."""
    assert standing(*[look(BOB)] * 4, *[look(ANN)] * 6) == "Ann"


def test_the_best_similarity_is_told() -> None:
    ballot = Ballot()
    for similarity in (0.6, 0.8, 0.7):
        ballot.cast(look(ANN, similarity=similarity))
    match = ballot.verdict().match
    assert match is not None
    assert match.similarity == 0.8
