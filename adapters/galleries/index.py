"""Exact nearest persons in memory: one matrix of faces, one product for all probes.

An index is a projection: whatever owns the truth (a dict, a table) adds and removes faces, and
takes views. A view never changes, so that threads may search it while the index moves on. Faces
and persons go by whole numbers here, rising in order of enrolment.
"""

from collections.abc import Iterable
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from facecv.adapters.galleries.ranking import Hit, Keys, Rows
from facecv.core.arrays import Floats

_CELLS = 16_000_000  # similarities held at once: 64 MB
_GATHERED = 16_384  # rows copied at once when a filter leaves few of them
_SLACK = 1e-5  # what float32 products may be wrong by; finalists are computed in float64


@attrs.frozen(eq=False)
class IndexView:
    """The faces of an index at one moment.

    Attributes:
        vectors: float32 [N, D], of length one.
        faces: key of each row's face [N].
        persons: key of each row's person [N].
        alive: which rows still count [N].
    """

    vectors: Floats
    faces: Keys
    persons: Keys
    alive: NDArray[np.bool_]

    def without(self, faces: Iterable[int]) -> "IndexView":
        """Return this view less some faces."""
        faces = list(faces)
        if not faces:
            return self
        gone = np.isin(self.faces, np.fromiter(faces, np.int64))
        return attrs.evolve(self, alive=self.alive & ~gone)

    def search(
        self,
        probes: Floats,
        *,
        top_k: int,
        threshold: float | None = None,
        persons: Keys | None = None,
    ) -> list[list[Hit]]:
        """Return, for each probe, the persons most like it.

        Args:
            probes: float32 [Q, D], of length one.
            top_k: the most persons for a probe.
            threshold: the least cosine, inclusive; None: no limit.
            persons: only these persons; None: all.

        Returns:
            One list a probe: each person once with the best face, by falling similarity, of
            equally alike ones the face enrolled first.
        """
        usable = self.alive if persons is None else self.alive & np.isin(self.persons, persons)
        rows = np.flatnonzero(usable)
        step = max(1, _CELLS // max(1, len(self.faces)))
        found: list[list[Hit]] = []
        for start in range(0, len(probes), step):
            block = probes[start : start + step]
            for probe, similarities in zip(block, self._similarities(block, rows), strict=True):
                found.append(self._best(probe, rows, similarities, top_k, threshold))
        return found

    def _similarities(self, probes: Floats, rows: NDArray[np.intp]) -> Floats:
        """Return float32 [Q, R]: each probe with each of `rows`."""
        if len(rows) * 2 > len(self.faces):
            everything: Floats = probes @ self.vectors.T
            return everything if len(rows) == len(self.faces) else everything[:, rows]
        out = np.empty((len(probes), len(rows)), np.float32)
        for start in range(0, len(rows), _GATHERED):
            some = slice(start, start + _GATHERED)
            out[:, some] = probes @ self.vectors[rows[some]].T
        return out

    def _best(
        self,
        probe: Floats,
        rows: NDArray[np.intp],
        similarities: Floats,
        top_k: int,
        threshold: float | None,
    ) -> list[Hit]:
        near = _contenders(similarities, self.persons[rows], top_k, threshold)
        chosen = rows[near]
        some = Rows(self.faces[chosen], self.persons[chosen], self.vectors[chosen])
        return some.best(probe, top_k, threshold)


class FaceIndex:
    """The faces of one collection, growing and shrinking. Changes and views need a common lock."""

    def __init__(self, dim: int) -> None:
        self._dim = dim
        self._count = 0
        self._vectors: Floats = np.empty((0, dim), np.float32)
        self._faces: Keys = np.empty(0, np.int64)
        self._persons: Keys = np.empty(0, np.int64)
        self._alive = np.empty(0, np.bool_)

    def __len__(self) -> int:
        return int(np.count_nonzero(self._alive[: self._count]))

    def add(self, faces: Iterable[int], persons: Iterable[int], vectors: Floats) -> None:
        """Add faces, their persons, and their vectors float32 [N, D]."""
        start, self._count = self._count, self._count + len(vectors)
        if self._count > len(self._faces):
            self._resize(slice(0, start), max(self._count, start + start // 2, 64))
        added = slice(start, self._count)  # beyond the end of every view taken so far
        self._vectors[added] = vectors
        self._faces[added] = np.fromiter(faces, np.int64)
        self._persons[added] = np.fromiter(persons, np.int64)
        self._alive[added] = True

    def remove(self, faces: Iterable[int]) -> None:
        """Remove faces; those that are not here are ignored."""
        self._alive = self._alive.copy()  # views keep the old one
        gone = np.isin(self._faces[: self._count], np.fromiter(faces, np.int64))
        self._alive[: self._count][gone] = False
        alive = np.flatnonzero(self._alive[: self._count])
        if len(alive) < self._count // 2:
            self._count = len(alive)
            self._resize(alive, len(alive))

    def view(self) -> IndexView:
        """Return the faces as they are now."""
        now = slice(0, self._count)
        return IndexView(self._vectors[now], self._faces[now], self._persons[now], self._alive[now])

    def _resize(self, kept: slice | NDArray[np.intp], capacity: int) -> None:
        """Move the rows `kept` into new arrays; views keep the old ones."""
        self._vectors = _moved(self._vectors, kept, capacity)
        self._faces = _moved(self._faces, kept, capacity)
        self._persons = _moved(self._persons, kept, capacity)
        self._alive = _moved(self._alive, kept, capacity)


def _moved(array: NDArray[Any], kept: slice | NDArray[np.intp], capacity: int) -> NDArray[Any]:
    new = np.empty((capacity, *array.shape[1:]), array.dtype)
    rows = array[kept]
    new[: len(rows)] = rows
    return new


def _contenders(
    similarities: Floats, persons: Keys, top_k: int, threshold: float | None
) -> NDArray[np.intp]:
    """Return the positions that may hold the best face of one of the best persons."""
    floor = _floor(similarities, persons, top_k)
    if threshold is not None:
        floor = max(floor, threshold - _SLACK)
    near = np.flatnonzero(similarities >= floor)
    _, group = np.unique(persons[near], return_inverse=True)
    best = np.full(len(near), -np.inf)
    np.maximum.at(best, group, similarities[near])
    return near[similarities[near] >= best[group] - _SLACK]


def _floor(similarities: Floats, persons: Keys, top_k: int) -> float:
    """Return what the best faces of the `top_k` best persons all reach."""
    take = min(4 * top_k, len(similarities))
    while take:
        best = np.argpartition(similarities, len(similarities) - take)[-take:]
        best = best[np.argsort(-similarities[best])]
        firsts = np.sort(np.unique(persons[best], return_index=True)[1])
        if len(firsts) >= top_k or take == len(similarities):
            return float(similarities[best[firsts[:top_k][-1]]]) - _SLACK
        take = min(4 * take, len(similarities))
    return -np.inf
