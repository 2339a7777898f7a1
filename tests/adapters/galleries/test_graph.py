"""Graphs propose candidates; what is made of them is exact, and complete."""

import threading
from pathlib import Path

import attrs
import numpy as np
import pytest

from facecv.adapters.galleries.graph import GRAPH_FROM, Candidates, FewFaces, Graph
from facecv.adapters.galleries.nearest import Resolve, best_persons
from facecv.adapters.galleries.ranking import Keys, Rows, as_keys
from facecv.core.arrays import Floats
from facecv.core.embedding import normalized

DIM, PERSONS, EACH = 32, 300, 4


@pytest.fixture(scope="module")
def vectors() -> Floats:
    """Return float32 [PERSONS * EACH, DIM]: some faces around each person."""
    rng = np.random.default_rng(0)
    centres = np.repeat(rng.normal(size=(PERSONS, DIM)), EACH, axis=0)
    around = centres + 0.6 * rng.normal(size=centres.shape)
    return normalized(around.astype(np.float32))[0]


@pytest.fixture(scope="module")
def graph(vectors: Floats) -> Graph:
    made = Graph(DIM)
    made.add(np.arange(len(vectors)), vectors, threads=1)
    return made


@attrs.frozen(eq=False)
class Fixed:
    """Always proposes the same."""

    some: Candidates
    exact = True

    def __len__(self) -> int:
        return len(self.some.faces)

    def nearest(self, probes: Floats, count: int) -> list[Candidates]:
        return [self.some.first(count) for _ in probes]


@attrs.frozen(eq=False)
class Large:
    """Finds the faces nearest to `PROBE`, as a graph does that is searched for `counts`.

    Attributes:
        vectors: of all faces; they are numbered in this order.
        hidden: faces that are found only among `enough` candidates.
        counts: how many candidates were asked for.
    """

    vectors: Floats
    hidden: Keys
    enough: int
    counts: list[int] = attrs.field(factory=list)
    exact: bool = False

    def __len__(self) -> int:
        return len(self.vectors)

    def nearest(self, probes: Floats, count: int) -> list[Candidates]:
        self.counts.append(count)
        cosines = probes @ self.vectors.T
        if count < self.enough:
            cosines[:, self.hidden] = -1
        order = np.argsort(-cosines, axis=1)[:, :count]
        return [Candidates(faces, row[faces]) for faces, row in zip(order, cosines, strict=True)]


@pytest.fixture(scope="module")
def crowd() -> Floats:
    """Return float32 [40000, 128]: strangers, and two faces alike, the first and the last."""
    made = np.random.default_rng(1).normal(size=(40_000, 128))
    made[-1] = made[0] + 0.5 * made[-1]
    return normalized(made.astype(np.float32))[0]


class TestGoingAstray:
    """A search that ended among strangers looks further; one that found somebody does not."""

    @pytest.mark.parametrize(
        ("enough", "counts"), [(0, [64]), (200, [64, 384]), (1999, [64, 384, 2304])]
    )
    def test_the_right_person_is_found_in_the_end(
        self, crowd: Floats, enough: int, counts: list[int]
    ) -> None:
        source = Large(crowd, as_keys([len(crowd) - 1]), enough)
        without = np.arange(1, len(crowd))
        [hits] = best_persons(source, crowd[:1], resolver(crowd, [], frozenset([0])), top_k=1)
        assert without[np.argmax(crowd[1:] @ crowd[0])] == len(crowd) - 1
        assert hits[0].face == len(crowd) - 1
        assert source.counts == counts

    def test_a_stranger_costs_a_thorough_search(self, crowd: Floats) -> None:
        source = Large(crowd[1:-1], as_keys([]), 0)
        best_persons(source, crowd[:1], resolver(crowd[1:-1], []), top_k=1)
        assert source.counts == [64, 384, 2304]

    def test_what_is_exact_is_believed(self, crowd: Floats) -> None:
        source = Large(crowd[1:-1], as_keys([]), 0, exact=True)
        best_persons(source, crowd[:1], resolver(crowd[1:-1], []), top_k=1)
        assert source.counts == [64]


def resolver(vectors: Floats, asked: list[int], gone: frozenset[int] = frozenset()) -> Resolve:
    """Return a `Resolve` over `vectors` that notes how many faces are asked for."""

    def resolve(faces: Keys) -> Rows:
        asked.append(len(faces))
        kept = as_keys(face for face in faces.tolist() if face not in gone)
        return Rows(kept, kept // EACH, vectors[kept])

    return resolve


def expected(vectors: Floats, probe: Floats, top_k: int) -> list[int]:
    cosines = (vectors @ probe).reshape(PERSONS, EACH).max(axis=1)
    return [int(person) for person in np.argsort(-cosines)[:top_k]]


def test_the_best_persons_are_found(vectors: Floats, graph: Graph) -> None:
    probes = normalized(vectors[:40:EACH] + np.float32(0.05))[0]
    asked: list[int] = []
    found = best_persons(graph, probes, resolver(vectors, asked), top_k=3)
    for probe, hits in zip(probes, found, strict=True):
        assert [hit.person for hit in hits] == expected(vectors, probe, 3)
        for hit in hits:
            assert hit.similarity == pytest.approx(float(vectors[hit.face] @ probe), abs=1e-6)
    assert len(asked) == 1


def test_more_candidates_are_asked_for_until_there_are_enough_persons(
    vectors: Floats, graph: Graph
) -> None:
    near = set(np.argsort(-(vectors @ vectors[0]))[:200].tolist())
    asked: list[int] = []
    resolve = resolver(vectors, asked, frozenset(near))
    [hits] = best_persons(graph, vectors[:1], resolve, top_k=5)
    left = np.delete(np.arange(len(vectors)), sorted(near))
    best = dict.fromkeys((left[np.argsort(-(vectors[left] @ vectors[0]))] // EACH).tolist())
    assert [hit.person for hit in hits] == list(best)[:5]
    assert len(asked) > 1


def test_a_threshold_ends_the_search(vectors: Floats, graph: Graph) -> None:
    asked: list[int] = []
    resolve = resolver(vectors, asked)
    [hits] = best_persons(graph, vectors[:1], resolve, top_k=5, threshold=0.99)
    assert [hit.person for hit in hits] == [0]
    assert asked == [20]


def test_only_candidates_that_may_count_are_looked_up(vectors: Floats, graph: Graph) -> None:
    asked: list[int] = []
    for probe in vectors[:20]:
        [hits] = best_persons(graph, probe[None], resolver(vectors, asked), top_k=1)
        assert [hit.person for hit in hits] == expected(vectors, probe, 1)
    assert asked == [4] * 20


def test_a_candidate_is_looked_up_if_it_may_be_better(vectors: Floats) -> None:
    similarities = np.array([0.2, 0.2, 0.2, 0.2, 0.19, -0.9], np.float32)
    some = Fixed(Candidates(as_keys([0, 1, 2, 3, 20, 40]), similarities))
    asked: list[int] = []
    [[hit]] = best_persons(some, vectors[20:21], resolver(vectors, asked), top_k=1)
    assert (hit.face, asked) == (20, [4, 1])


def test_few_faces_are_all_compared(vectors: Floats, graph: Graph) -> None:
    few = FewFaces(graph, np.arange(0, len(vectors), 5))
    [hits] = best_persons(few, vectors[2:3], resolver(vectors, []), top_k=1)
    cosines = vectors[few.faces] @ vectors[2]
    assert hits[0].face == few.faces[np.argmax(cosines)]
    none = FewFaces(graph, as_keys(()))
    assert best_persons(none, vectors[:2], resolver(vectors, []), top_k=1) == [[], []]


def test_of_few_faces_none_is_missed_and_of_many_hardly_any() -> None:
    rng = np.random.default_rng(2)
    many = normalized(rng.normal(size=(GRAPH_FROM + 1000, 16)).astype(np.float32))[0]
    made = Graph(16)
    for size, least in ((GRAPH_FROM, 1.0), (len(many), 0.99)):
        made.add(np.arange(size), many[:size], threads=2)
        probes = many[:size:64] + np.float32(0.1)
        nearest = np.argmax(probes @ many[:size].T, axis=1)
        found = made.nearest(normalized(probes)[0], 64)
        hits = [face in some.faces for face, some in zip(nearest, found, strict=True)]
        assert made.exact == (size == GRAPH_FROM)
        assert np.mean(hits) >= least


def test_a_saved_graph_is_opened_loaded_and_copied(
    vectors: Floats, graph: Graph, tmp_path: Path
) -> None:
    graph.save(tmp_path / "g.usearch")
    made = [Graph.opened(tmp_path / "g.usearch", DIM), Graph.loaded(tmp_path / "g.usearch", DIM)]
    for other in (*made, graph.copy()):
        assert len(other) == len(graph)
        [one], [two] = other.nearest(vectors[:1], 9), graph.nearest(vectors[:1], 9)
        assert one.faces.tolist() == two.faces.tolist()


def test_a_graph_of_another_kind_is_refused(vectors: Floats, tmp_path: Path) -> None:
    path = tmp_path / "g.usearch"
    Graph(DIM).save(path)
    from usearch.index import Index  # the graph above has loaded it

    Index(ndim=DIM, metric="cos", dtype="i8").save(path)
    for use in (Graph.opened, Graph.loaded):
        with pytest.raises(ValueError, match="another kind"):
            use(path, DIM)
    Graph(DIM).save(path)
    with pytest.raises(ValueError, match="another kind"):
        Graph.opened(path, 2 * DIM)
    made = Graph(DIM)
    made.add(np.arange(4), vectors[:4], threads=2)
    made.save(path)
    assert len(Graph.opened(path, DIM)) == 4


def test_adding_ends_when_it_is_told_to(vectors: Floats) -> None:
    stop, made = threading.Event(), Graph(DIM)
    stop.set()
    made.add(np.arange(len(vectors)), vectors, threads=1, stop=stop)
    assert len(made) == 0


def test_a_copy_grows_alone_and_faces_count_once(vectors: Floats, graph: Graph) -> None:
    other = graph.copy()
    other.add(np.arange(5, len(vectors) + 2)[-3:], vectors[:3], threads=1)
    assert len(other) == len(graph) + 2
    assert graph.contains(as_keys([0, len(vectors)])).tolist() == [True, False]
    assert graph.contains(as_keys(())).tolist() == []


def test_similarities_are_right_to_two_decimals(vectors: Floats, graph: Graph) -> None:
    faces = as_keys([7, 3, 99_999])
    [found] = graph.similarities(vectors[:1], faces)
    assert found[:2] == pytest.approx(vectors[[7, 3]] @ vectors[0], abs=0.02)
    assert found[2] == -1
