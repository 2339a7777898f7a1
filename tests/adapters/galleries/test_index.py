"""The index agrees with plain arithmetic, whatever was added and removed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from facecv.adapters.galleries import index as index_module
from facecv.adapters.galleries.index import FaceIndex
from facecv.adapters.galleries.ranking import Hit, merged
from facecv.core.arrays import Floats
from facecv.core.embedding import normalized

DIM = 8


def directions(count: int, seed: int, *, distinct: int = 1000) -> Floats:
    """Return float32 [count, DIM] of length one, of which at most `distinct` differ."""
    rng = np.random.default_rng(seed)
    some = normalized(rng.normal(size=(min(count, distinct), DIM)).astype(np.float32))[0]
    chosen: Floats = some[rng.integers(0, len(some), count)]
    return chosen


def filled(vectors: Floats, persons: int) -> FaceIndex:
    """Return an index of faces 0.. that belong to persons in turn."""
    index = FaceIndex(DIM)
    index.add(range(len(vectors)), (face % persons for face in range(len(vectors))), vectors)
    return index


def expected(
    vectors: Floats, owners: NDArray[np.int64], probe: Floats, top_k: int
) -> list[tuple[int, int]]:
    """Return (person, face) as a loop over all faces finds them; owner -1: not a candidate."""
    cosines = (vectors.astype(np.float64) @ probe.astype(np.float64)).round(6)
    first: dict[int, int] = {}
    for face in sorted(range(len(vectors)), key=lambda face: (-cosines[face], face)):
        first.setdefault(int(owners[face]), face)
    first.pop(-1, None)
    return list(first.items())[:top_k]


@settings(deadline=None, max_examples=60)
@given(
    faces=st.integers(1, 300),
    distinct=st.sampled_from([1, 3, 1000]),
    top_k=st.integers(1, 12),
    seed=st.integers(0, 99),
    share=st.sampled_from([(1.0, 0.0), (1.0, 0.3), (0.5, 0.9), (0.03, 0.0), (0.03, 0.3)]),
)
def test_a_search_is_exact(
    *, faces: int, distinct: int, top_k: int, seed: int, share: tuple[float, float]
) -> None:
    rng = np.random.default_rng(seed)
    kept, lost = share
    persons = int(rng.integers(1, 40))
    vectors, probes = directions(faces, seed, distinct=distinct), directions(5, seed + 1)
    allowed = rng.random(persons) < kept
    gone = rng.random(faces) < lost
    index = filled(vectors, persons)
    index.remove(np.flatnonzero(gone).tolist())
    chosen = None if kept == 1.0 else np.flatnonzero(allowed)
    owners = np.arange(faces) % persons
    owners[gone | ~allowed[owners]] = -1
    found = index.view().search(probes, top_k=top_k, persons=chosen)
    for probe, hits in zip(probes, found, strict=True):
        assert [(hit.person, hit.face) for hit in hits] == expected(vectors, owners, probe, top_k)
        for hit in hits:
            assert hit.similarity == pytest.approx(vectors[hit.face] @ probe, abs=1e-6)


def test_probes_in_blocks_and_rows_in_chunks_change_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vectors, probes = directions(1000, 0), directions(20, 1)
    view, few = filled(vectors, 100).view(), np.arange(0, 100, 7)
    whole = [view.search(probes, top_k=3), view.search(probes, top_k=3, persons=few)]
    monkeypatch.setattr(index_module, "_CELLS", 3000)
    monkeypatch.setattr(index_module, "_GATHERED", 10)
    assert [view.search(probes, top_k=3), view.search(probes, top_k=3, persons=few)] == whole


def test_a_view_does_not_change_with_its_index() -> None:
    vectors, probes = directions(200, 0), directions(4, 1)
    index = filled(vectors[:100], 10)
    view = index.view()
    before = view.search(probes, top_k=10)
    index.remove(range(0, 100, 2))
    index.add(range(100, 200), range(100), vectors[100:])
    index.remove(range(190))
    assert view.search(probes, top_k=10) == before
    assert len(index) == 10


def test_a_view_may_go_without_some_faces() -> None:
    vectors = directions(50, 0)
    view = filled(vectors, 50).view()
    left = view.without([3, 999])
    assert view.search(vectors[3:4], top_k=1)[0][0].face == 3
    assert left.search(vectors[3:4], top_k=1)[0][0].face != 3


def test_a_removed_face_may_come_back() -> None:
    vectors = directions(3, 0)
    index = filled(vectors, 3)
    index.remove([1])
    index.add([1], [1], vectors[1:2])
    assert [hit.face for hit in index.view().search(vectors[1:2], top_k=1)[0]] == [1]
    assert len(index) == 3


def test_an_empty_index_finds_nobody() -> None:
    view = FaceIndex(DIM).view()
    assert view.search(directions(2, 0), top_k=3) == [[], []]
    assert view.search(np.empty((0, DIM), np.float32), top_k=3) == []


def test_two_searches_merge_into_the_best_of_both() -> None:
    one = [[Hit(1, 1, 0.9), Hit(2, 2, 0.5)]]
    other = [[Hit(2, 5, 0.9), Hit(3, 4, 0.7)]]
    assert merged(one, other, 2) == [[Hit(1, 1, 0.9), Hit(2, 5, 0.9)]]
    assert merged(one, other, 3) == [[Hit(1, 1, 0.9), Hit(2, 5, 0.9), Hit(3, 4, 0.7)]]
