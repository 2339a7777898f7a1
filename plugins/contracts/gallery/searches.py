"""What galleries promise about searches."""

import numpy as np
import pytest
from numpy.typing import NDArray

from facecv.core.arrays import Floats
from facecv.core.embedding import Embedding, normalized
from facecv.core.errors import (
    EmbeddingSpaceError,
)
from facecv.core.gallery import FaceRecord, Metadata, SearchQuery
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.plugins.contracts.gallery.examples import (
    OTHER_SPACE,
    SPACE,
    GalleryFixtures,
    at,
    embedding,
    enrol,
    face,
    ids,
)


class SearchPromises(GalleryFixtures):
    """A search says who is most alike."""

    def test_nobody_is_found_in_an_empty_collection(self, team: GalleryRepo) -> None:
        """Each probe gets an empty answer."""
        assert team.search("team", [embedding(1), embedding(0, 1)], SearchQuery()) == [[], []]

    def test_no_probes_no_answers(self, team: GalleryRepo) -> None:
        """No probe is the batch of none."""
        enrol(team, "ann", face(1))
        assert team.search("team", [], SearchQuery()) == []

    def test_a_match_says_who_which_face_and_how_alike(self, team: GalleryRepo) -> None:
        """A match is the person, its best face and their cosine."""
        ann = enrol(team, "ann", face(0, 1), face(3, 4, id="best"), metadata={"a": 1})
        [[match]] = team.search("team", [embedding(1)], SearchQuery())
        assert match.person == ann
        assert match.face_id == "best"
        assert match.similarity == pytest.approx(0.6, abs=1e-6)

    def test_a_face_is_at_one_from_itself(self, team: GalleryRepo) -> None:
        """Rounding does not keep a face from itself."""
        rng = np.random.default_rng(1)
        for number in range(20):
            enrol(team, str(number), face(*rng.normal(size=8)))
        for owner, record in team.faces("team"):
            [[match]] = team.search("team", [record.embedding], SearchQuery(1, threshold=1.0))
            assert (match.person.id, match.similarity) == (owner, 1.0)

    def test_the_best_are_persons_not_faces(self, team: GalleryRepo) -> None:
        """One person with many faces takes one place."""
        enrol(team, "ann", *(FaceRecord(at(0.9 + number / 1000)) for number in range(50)))
        enrol(team, "bob", FaceRecord(at(0.5)), FaceRecord(at(0.8)))
        enrol(team, "cyd", FaceRecord(at(0.7)), FaceRecord(at(-0.7)))
        [found] = team.search("team", [embedding(1)], SearchQuery(top_k=2))
        assert ids(found) == ["ann", "bob"]
        assert [match.similarity for match in found] == pytest.approx([0.949, 0.8], abs=1e-5)
        assert len(team.search("team", [embedding(1)], SearchQuery(top_k=9))[0]) == 3

    def test_the_threshold_is_inclusive(self, team: GalleryRepo) -> None:
        """A similarity that is the threshold suffices."""
        enrol(team, "ann", FaceRecord(at(0.5)))
        enrol(team, "bob", FaceRecord(at(0.3)))
        [found] = team.search("team", [embedding(1)], SearchQuery())
        for count, match in enumerate(found, 1):
            query = SearchQuery(threshold=match.similarity)
            assert len(team.search("team", [embedding(1)], query)[0]) == count
            above = SearchQuery(threshold=match.similarity + 1e-4)
            assert len(team.search("team", [embedding(1)], above)[0]) == count - 1

    def test_opposite_faces_are_found_without_a_threshold(self, team: GalleryRepo) -> None:
        """Without a threshold everybody counts."""
        enrol(team, "ann", face(-1))
        [[match]] = team.search("team", [embedding(1)], SearchQuery())
        assert match.similarity == -1.0

    def test_of_equals_the_first_enrolled_comes_first(self, team: GalleryRepo) -> None:
        """The order of equals is that of enrolment, cut or not."""
        rng = np.random.default_rng(3)
        same, order = rng.normal(size=8), [f"{number}" for number in rng.permutation(40)]
        for person_id in order:
            enrol(team, person_id, face(*rng.normal(size=8)), face(*same))
        probes = [embedding(*same), embedding(*rng.normal(size=8))]
        everyone = team.search("team", probes, SearchQuery(top_k=40))
        assert ids(everyone[0]) == order
        assert ids(team.search("team", probes[:1], SearchQuery(top_k=7))[0]) == order[:7]

    def test_a_filter_applies_before_the_best_are_chosen(self, team: GalleryRepo) -> None:
        """A filter that keeps few still fills the answer."""
        rng = np.random.default_rng(2)
        for number in range(200):
            metadata = {"group": "rare" if number % 40 == 0 else "many", "n": number}
            enrol(team, f"{number:03}", face(*rng.normal(size=8)), metadata=metadata)
        query = SearchQuery(top_k=5, where={"group": "rare"})
        [found] = team.search("team", [embedding(1)], query)
        assert sorted(ids(found)) == ["000", "040", "080", "120", "160"]
        [one] = team.search("team", [embedding(1)], SearchQuery(where={"group": "rare", "n": 80}))
        assert ids(one) == ["080"]
        assert team.search("team", [embedding(1)], SearchQuery(where={"group": "none"})) == [[]]

    @pytest.mark.parametrize(
        ("where", "found"),
        [
            ({"x": 1}, ["float", "int"]),
            ({"x": 1.0}, ["float", "int"]),
            ({"x": True}, ["bool"]),
            ({"x": None}, ["null"]),
            ({"x": "1"}, ["text"]),
            ({'"q': "a'b\"ü"}, ["odd"]),
            ({"x": 0.1 + 0.2}, ["third"]),
            ({"missing": None}, []),
            ({}, ["bool", "float", "int", "null", "odd", "text", "third"]),
        ],
    )
    def test_a_filter_compares_as_json_does(
        self, team: GalleryRepo, where: Metadata, found: list[str]
    ) -> None:
        """1 equals 1.0 but not true; a missing key is not null."""
        values = {"int": 1, "float": 1.0, "bool": True, "null": None, "text": "1"}
        for person_id, value in values.items():
            enrol(team, person_id, face(1), metadata={"x": value})
        enrol(team, "odd", face(1), metadata={'"q': "a'b\"ü"})
        enrol(team, "third", face(1), metadata={"x": 0.1 + 0.2})
        [matches] = team.search("team", [embedding(1)], SearchQuery(top_k=9, where=where))
        assert sorted(ids(matches)) == found

    def test_a_search_may_be_among_some_persons_only(self, team: GalleryRepo) -> None:
        """Only the persons that are named are found; none, if none is named."""
        for number in range(30):
            enrol(team, f"{number:02}", face(1, number), metadata={"odd": number % 2})
        some = frozenset(["03", "08", "21", "nobody"])
        [found] = team.search("team", [embedding(1)], SearchQuery(persons=some))
        assert ids(found) == ["03", "08", "21"]
        query = SearchQuery(persons=some, where={"odd": 1})
        assert ids(team.search("team", [embedding(1)], query)[0]) == ["03", "21"]
        assert team.search("team", [embedding(1)], SearchQuery(persons=frozenset())) == [[]]

    def test_a_search_agrees_with_plain_arithmetic(self, team: GalleryRepo) -> None:
        """Many probes at once get what a loop over all faces says."""
        rng = np.random.default_rng(4)
        vectors = normalized(rng.normal(size=(600, 8)).astype(np.float32))[0]
        owners = rng.integers(0, 60, 600)
        for owner in range(60):
            mine = [FaceRecord(Embedding(row, SPACE)) for row in vectors[owners == owner]]
            enrol(team, f"{owner:02}", *mine)
        probes = normalized(rng.normal(size=(40, 8)).astype(np.float32))[0]
        query = SearchQuery(top_k=5, threshold=0.4)
        found = team.search("team", [Embedding(row, SPACE) for row in probes], query)
        for probe, matches in zip(probes, found, strict=True):
            assert ids(matches) == _expected(probe, vectors, owners, query)

    def test_a_probe_of_another_space_is_an_error(self, team: GalleryRepo) -> None:
        """The error names both spaces."""
        with pytest.raises(EmbeddingSpaceError) as caught:
            team.search("team", [embedding(1), embedding(1, space=OTHER_SPACE)], SearchQuery())
        assert str(SPACE) in str(caught.value)
        assert str(OTHER_SPACE) in str(caught.value)

    def test_each_change_is_seen_by_the_next_search(self, team: GalleryRepo) -> None:
        """What was added or deleted counts at once."""

        def best() -> list[str]:
            return ids(team.search("team", [embedding(1)], SearchQuery(threshold=0.5))[0])

        assert best() == []
        enrol(team, "ann", FaceRecord(at(0.6), id="f"))
        assert best() == ["ann"]
        enrol(team, "bob", FaceRecord(at(0.8)))
        assert best() == ["bob", "ann"]
        team.add_faces("team", "ann", [FaceRecord(at(0.9), id="g")])
        assert best() == ["ann", "bob"]
        team.delete_face("team", "g")
        assert best() == ["bob", "ann"]
        team.delete_person("team", "bob")
        assert best() == ["ann"]


def _expected(
    probe: Floats, vectors: Floats, owners: NDArray[np.int64], q: SearchQuery
) -> list[str]:
    best = {
        owner: float((vectors[owners == owner].astype(np.float64) @ probe).max())
        for owner in np.unique(owners)
    }
    order = sorted(best, key=lambda owner: -best[owner])
    near = [owner for owner in order if q.threshold is None or best[owner] >= q.threshold]
    return [f"{owner:02}" for owner in near[: q.top_k]]
