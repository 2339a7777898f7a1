"""Approximate nearest faces among very many, by usearch.

A navigable graph of small worlds (Malkov and Yashunin, 2016) over vectors of one byte a number:
a search looks at a few thousand faces of a million. What it finds are candidates; whoever asks
compares them exactly.
"""

import mmap
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from facecv.adapters.galleries.cxx_locales import settle_cxx_locales
from facecv.adapters.galleries.ranking import Keys
from facecv.core.arrays import Floats
from facecv.core.cpu_budget import available_cores

if TYPE_CHECKING:
    from usearch.index import Index

GRAPH_FROM = 16_384
"""So many faces are compared one by one about as fast as a graph is searched."""
CONNECTIVITY = 16
EXPANSION_ADD = 128
EXPANSION_SEARCH = 64
_GATHERED = 16_384  # vectors copied at once when few faces are compared with the probes
_CHUNK = 2048  # faces added between two looks at whether to stop
_ONE = 127  # what stands for 1 in a vector of one byte a number


@attrs.frozen(eq=False)
class Candidates:
    """Faces that may be the nearest to a probe.

    Attributes:
        faces: their keys [N].
        similarities: cosines to about two decimals, falling [N].
    """

    faces: Keys
    similarities: Floats

    def first(self, count: int) -> "Candidates":
        """Return the `count` nearest of them."""
        return Candidates(self.faces[:count], self.similarities[:count])

    def above(self, similarity: float) -> int:
        """Return how many are at least so alike."""
        return int(np.count_nonzero(self.similarities >= similarity))


class Graph:
    """Faces by key. Threads may search it at once, but not while one adds to it."""

    def __init__(self, dim: int) -> None:
        self._cores = available_cores()
        self._content: mmap.mmap | None = None  # what the index looks at, if that is a file
        self._index = _new_index(dim)

    @classmethod
    def opened(cls, path: Path, dim: int) -> "Graph":
        """Return what `save` wrote, mapped from the file: it can be searched, not added to."""
        graph = cls(dim)
        graph._check(path)
        with path.open("rb") as file:
            graph._content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        graph._index.view(memoryview(graph._content))
        return graph

    @classmethod
    def loaded(cls, path: Path, dim: int) -> "Graph":
        """Return a copy in memory of what `save` wrote."""
        graph = cls(dim)
        graph._check(path)
        graph._index.load(path)
        return graph

    def __len__(self) -> int:
        return len(self._index)

    @property
    def exact(self) -> bool:
        """Whether no nearer face is ever missed: so few are all compared."""
        return len(self) <= GRAPH_FROM

    @property
    def dim(self) -> int:
        """How many numbers a vector has."""
        return int(self._index.ndim)

    def copy(self) -> "Graph":
        """Return a graph of its own with the same faces."""
        graph = Graph(self.dim)
        graph._index.load(self._index.save())
        return graph

    def add(
        self,
        faces: Keys,
        vectors: Floats,
        *,
        threads: int,
        stop: threading.Event | None = None,
    ) -> None:
        """Add the faces that are new.

        Args:
            faces: their keys [N].
            vectors: float32 [N, D], of length one.
            threads: how many add at once.
            stop: once it is set, the rest is left out.
        """
        for start in range(0, len(faces), _CHUNK):
            if stop is not None and stop.is_set():
                return
            some = slice(start, start + _CHUNK)
            self._add_some(faces[some], vectors[some], threads)

    def _check(self, path: Path) -> None:
        """Raise `ValueError` if a file holds other vectors or similarities; reading takes any."""
        from usearch.index import Index  # noqa: PLC0415 - loaded by `_new_index`

        found, mine = Index.metadata(path) or {}, self._index
        kinds = (mine.ndim, mine.metric_kind, mine.dtype)
        if tuple(map(found.get, ("dimensions", "kind_metric", "kind_scalar"))) != kinds:
            raise ValueError("a graph of another kind")

    def _add_some(self, faces: Keys, vectors: Floats, threads: int) -> None:
        new = ~self.contains(faces)
        if new.any():
            keys = faces[new].astype(np.uint64)
            self._index.add(keys, _as_bytes(vectors[new]), threads=threads)

    def contains(self, faces: Keys) -> NDArray[np.bool_]:
        """Return which faces are in [N]."""
        if not len(faces):
            return np.zeros(0, np.bool_)
        return np.asarray(self._index.contains(faces.astype(np.uint64)), np.bool_).reshape(-1)

    def save(self, path: Path) -> None:
        """Write the graph to a file."""
        self._index.save(path)

    def nearest(self, probes: Floats, count: int) -> list[Candidates]:
        """Return about the `count` faces nearest to each probe (float32 [Q, D])."""
        from usearch.index import BatchMatches  # noqa: PLC0415 - loaded by `_new_index`

        threads = min(len(probes), self._cores)
        found = self._index.search(_as_bytes(probes), count, threads=threads, exact=self.exact)
        if not isinstance(found, BatchMatches):
            return [_candidates(found.keys, found.distances)]
        return [
            _candidates(keys[:filled], distances[:filled])
            for keys, distances, filled in zip(
                found.keys, found.distances, found.counts, strict=True
            )
        ]

    def similarities(self, probes: Floats, faces: Keys) -> Floats:
        """Return float32 [Q, N]: the cosine, to about two decimals, with each of some faces."""
        out = np.full((len(probes), len(faces)), -1.0, np.float32)
        held = np.flatnonzero(self.contains(faces))
        for start in range(0, len(held), _GATHERED):
            some = held[start : start + _GATHERED]
            vectors = np.asarray(self._index.get(faces[some].astype(np.uint64), dtype="i8"))
            out[:, some] = probes @ (vectors.astype(np.float32) / np.float32(_ONE)).T
        return out


@attrs.frozen(eq=False)
class FewFaces:
    """Some faces of a graph, all of which are compared with a probe."""

    graph: Graph
    faces: Keys

    def __len__(self) -> int:
        return len(self.faces)

    @property
    def exact(self) -> bool:
        """Whether no nearer face is ever missed."""
        return True

    def nearest(self, probes: Floats, count: int) -> list[Candidates]:
        """Return the `count` faces nearest to each probe (float32 [Q, D])."""
        found = []
        for similarities in self.graph.similarities(probes, self.faces):
            best = np.argpartition(-similarities, min(count, len(similarities) - 1))[:count]
            best = best[np.argsort(-similarities[best])]
            found.append(Candidates(self.faces[best], similarities[best]))
        return found


def building_threads(*, awaited: bool) -> int:
    """Return how many threads add to a graph: all cores if somebody waits for it, or else half."""
    cores = available_cores()
    return cores if awaited else max(1, cores // 2)


def _new_index(dim: int) -> "Index":
    """Return an empty index; the first one loads usearch."""
    settle_cxx_locales()
    from usearch.index import Index  # noqa: PLC0415 - after the locales are settled

    return Index(
        ndim=dim,
        # Of vectors of length one it says what "cos" does, in two thirds of the time. "ip" is
        # faster still, but whole numbers make some vectors longer, which hide faces behind them.
        metric="l2sq",
        dtype="i8",
        connectivity=CONNECTIVITY,
        expansion_add=EXPANSION_ADD,
        expansion_search=EXPANSION_SEARCH,
    )


def _candidates(keys: NDArray[np.uint64], distances: Floats) -> Candidates:
    return Candidates(keys.astype(np.int64), 1 - distances / np.float32(2 * _ONE * _ONE))


def _as_bytes(vectors: Floats) -> NDArray[np.int8]:
    """Return int8 [N, D]."""
    whole: NDArray[np.int8] = np.rint(vectors * np.float32(_ONE)).astype(np.int8)
    return whole
