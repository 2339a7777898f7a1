"""Searching what the gallery in memory holds of a collection, and keeping its graph."""

import threading
from functools import partial

import attrs
import numpy as np

from facecv.adapters.galleries.graph import FewFaces, Graph
from facecv.adapters.galleries.index import IndexView
from facecv.adapters.galleries.memory_shelf import Shelf
from facecv.adapters.galleries.nearest import best_persons
from facecv.adapters.galleries.ranking import Hit, Keys, Rows, as_keys, merged
from facecv.core.arrays import Floats
from facecv.core.gallery import SearchQuery

_FEW_PERSONS = 20_000  # so many have their faces compared one by one


def search(shelf: Shelf, probes: Floats, query: SearchQuery) -> list[list[Hit]]:
    """Return, for each probe (float32 [Q, D]), the persons most like it."""
    chosen = shelf.accepted(query)
    near = shelf.index.view().search(
        probes, top_k=query.top_k, threshold=query.threshold, persons=chosen
    )
    if shelf.graph is None:
        return near
    narrow = chosen is not None and len(chosen) <= _FEW_PERSONS
    graph = shelf.graph
    far = best_persons(
        FewFaces(graph, shelf.keys_of(chosen)) if chosen is not None and narrow else graph,
        probes,
        partial(_rows, shelf, None if chosen is None else frozenset(chosen.tolist())),
        top_k=min(query.top_k, len(shelf.persons)),
        threshold=query.threshold,
        share=1.0 if chosen is None or narrow else len(chosen) / len(shelf.persons),
    )
    return merged(near, far, query.top_k)


def _rows(shelf: Shelf, chosen: frozenset[int] | None, faces: Keys) -> Rows:
    """Return those of some faces that are there and may be found, by rising key."""
    kept = [
        (key, person, vector)
        for key, person, vector in shelf.look_up(faces)
        if chosen is None or person in chosen
    ]
    dim = shelf.collection.space.dim
    return Rows(
        as_keys(key for key, _, _ in kept),
        as_keys(person for _, person, _ in kept),
        np.stack([row for *_, row in kept]) if kept else np.empty((0, dim), np.float32),
    )


@attrs.frozen(eq=False)
class Growth:
    """Faces of a shelf that are to go into its graph.

    Attributes:
        before: the graph so far; None: start a new one.
        view: the faces to add.
    """

    before: Graph | None
    view: IndexView

    def graph(self, stop: threading.Event, threads: int) -> Graph:
        """Return a new graph with the faces added, or with some of them if told to stop."""
        grown = self.before.copy() if self.before else Graph(self.view.vectors.shape[1])
        grown.add(self.view.faces, self.view.vectors, threads=threads, stop=stop)
        return grown


def overdue(shelf: Shelf, graph_from: int) -> bool:
    """Return whether a new graph would make searches faster."""
    held = len(shelf.graph) if shelf.graph else 0
    return len(shelf.index) > max(graph_from, held // 30) or _mostly_gone(shelf)


def growth(shelf: Shelf) -> Growth:
    """Return what is to be done to have all faces in the graph."""
    if _mostly_gone(shelf):
        shelf.forget_graph()
    return Growth(shelf.graph, shelf.index.view())


def _mostly_gone(shelf: Shelf) -> bool:
    """Return whether too many faces of the graph are no longer there."""
    held = len(shelf.graph) if shelf.graph else 0
    return held > 2 * (len(shelf.faces) - len(shelf.index))
