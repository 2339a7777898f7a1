"""Match, ambiguous or unknown; never the nearest stranger."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from facecv.adapters.galleries.memory import MemoryGallery
from facecv.core.embedding import Embedding, EmbeddingSpace
from facecv.core.errors import CollectionNotFoundError, EmbeddingSpaceError
from facecv.core.gallery import Collection, FaceRecord, Person
from facecv.core.services.identify import Identifier, IdentifyOptions

SPACE = EmbeddingSpace("world", 2, "0" * 64, "none")


def at(degrees: float, space: EmbeddingSpace = SPACE) -> Embedding:
    """Return the point of the unit circle at an angle: cosines are those of the difference."""
    angle = np.radians(degrees)
    return Embedding(np.array([np.cos(angle), np.sin(angle)], dtype=np.float32), space)


def identifier(
    people: Mapping[str, Sequence[float]],
    threshold: float | None = None,
    margin: float | None = None,
) -> Identifier:
    """Return an identifier over a collection with its own threshold and margin, or without."""
    repo = MemoryGallery()
    repo.create_collection(Collection("staff", SPACE, threshold, margin))
    for name, angles in people.items():
        person = Person(name, metadata={"initial": name[0]})
        repo.add_person("staff", person, [FaceRecord(at(angle)) for angle in angles])
    return Identifier(repo, threshold=0.9, margin=0.02)


PEOPLE = {"Ada": [0, 5], "Eve": [60], "Bob": [120]}


def test_a_known_face_matches() -> None:
    (answer,) = identifier(PEOPLE).identify("staff", [at(8)], IdentifyOptions())
    assert answer.status == "match"
    assert answer.person is not None
    assert answer.person.name == "Ada"
    assert answer.matches[0].similarity == pytest.approx(np.cos(np.radians(3)), abs=1e-5)
    assert len(answer.matches) == 1


def test_a_stranger_is_unknown_however_near() -> None:
    (answer,) = identifier(PEOPLE).identify("staff", [at(33)], IdentifyOptions())
    assert (answer.status, answer.matches, answer.person) == ("unknown", (), None)
    assert answer.best == pytest.approx(np.cos(np.radians(27)), abs=1e-5)


def test_two_persons_alike_are_ambiguous() -> None:
    people = {"Ada": [0], "Twin": [4]}
    (answer,) = identifier(people).identify("staff", [at(2.2)], IdentifyOptions(top_k=1))
    assert answer.status == "ambiguous"
    assert answer.person is None
    assert {match.person.name for match in answer.matches} == {"Ada", "Twin"}


def test_the_runner_up_counts_even_below_the_threshold() -> None:
    limit = float(np.cos(np.radians(2.5)))
    options = IdentifyOptions(threshold=limit, margin=0.01)
    (answer,) = identifier({"Ada": [0], "Twin": [5.5]}).identify("staff", [at(2.4)], options)
    assert answer.status == "ambiguous"
    assert [match.person.name for match in answer.matches] == ["Ada"]


def test_several_faces_of_one_person_are_not_ambiguous() -> None:
    (answer,) = identifier({"Ada": [0, 1, 2]}).identify("staff", [at(1)], IdentifyOptions())
    assert answer.status == "match"


def test_an_empty_collection_knows_nobody() -> None:
    (answer,) = identifier({}).identify("staff", [at(0)], IdentifyOptions())
    assert (answer.status, answer.best) == ("unknown", None)


def test_no_probe_no_answer() -> None:
    assert identifier(PEOPLE).identify("staff", [], IdentifyOptions()) == []


@pytest.mark.parametrize(
    ("collection", "option", "expected"),
    [(None, None, 0.9), (0.5, None, 0.5), (0.5, 0.2, 0.2), (None, 0.2, 0.2), (0.0, None, 0.0)],
)
def test_the_nearest_threshold_wins(
    collection: float | None, option: float | None, expected: float
) -> None:
    who = identifier(PEOPLE, threshold=collection)
    (answer,) = who.identify("staff", [at(0)], IdentifyOptions(threshold=option))
    assert answer.threshold == expected


def test_the_collection_s_margin_counts() -> None:
    people = {"Ada": [0], "Twin": [4]}
    (answer,) = identifier(people, margin=0.0).identify("staff", [at(1)], IdentifyOptions())
    assert answer.status == "match"


def test_metadata_narrows_the_search() -> None:
    options = IdentifyOptions(where={"initial": "E"}, threshold=-1)
    (answer,) = identifier(PEOPLE).identify("staff", [at(0)], options)
    assert [match.person.name for match in answer.matches] == ["Eve"]


def test_what_cannot_be_searched_is_refused() -> None:
    who = identifier(PEOPLE)
    with pytest.raises(CollectionNotFoundError, match="absent"):
        who.identify("absent", [at(0)], IdentifyOptions())
    other = EmbeddingSpace("other", 2, "1" * 64, "none")
    with pytest.raises(EmbeddingSpaceError, match=r"other/2.* and of world/2|world/2.*other/2"):
        who.identify("staff", [at(0, other)], IdentifyOptions())
