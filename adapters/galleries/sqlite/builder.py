"""Making the graph of a collection from its rows, or adding to it what came since."""

import threading

import attrs

from facecv.adapters.galleries.graph import Graph, building_threads
from facecv.adapters.galleries.ranking import Keys, as_keys
from facecv.adapters.galleries.sqlite import tables
from facecv.adapters.galleries.sqlite.connections import Connections
from facecv.adapters.galleries.sqlite.graph_files import (
    GraphFiles,
    GraphRow,
    graph_row,
    set_graph_row,
)
from facecv.adapters.galleries.sqlite.projection import Projector, faces_after
from facecv.adapters.galleries.sqlite.seal import Seal
from facecv.core.arrays import Floats
from facecv.core.errors import CollectionNotFoundError

_ALIVE = 0.75  # the share of a graph below which it is made anew


@attrs.frozen(eq=False)
class GraphBuilder:
    """Makes graphs.

    Attributes:
        connections: to the gallery.
        seal: what the vectors are closed with.
        files: where graphs are kept; None: only in memory.
    """

    connections: Connections
    seal: Seal
    files: GraphFiles | None

    def build(
        self, name: str, projector: Projector, stop: threading.Event, *, wait: bool = False
    ) -> None:
        """Bring the graph of a collection up to date, and let its projector use it.

        Args:
            name: the collection; nothing is done if it is not there.
            projector: whose projection to bring up to date.
            stop: ends the work early, with nothing changed.
            wait: whether somebody waits for the graph: it takes all cores, and if another process
                is doing just this, its turn.
        """
        threads = building_threads(awaited=wait)
        try:
            with self.connections.committed() as db:
                found = tables.find_collection(db, name)
        except CollectionNotFoundError:
            return
        if self.files is None:
            self._build_in_memory(found, projector, stop, threads)
            return
        with self.files.writing(found.key, wait=wait) as mine:
            if mine:
                self._build_file(self.files, found, projector, stop, threads)

    def _build_file(
        self,
        files: GraphFiles,
        found: tables.Found,
        projector: Projector,
        stop: threading.Event,
        threads: int,
    ) -> None:
        with self.connections.committed() as db:
            row = graph_row(db, found.key)
        graph = files.loaded(row, found.space.dim)
        graph, last = self._grown(found, graph, row.last_face, stop, threads)
        if stop.is_set():
            return
        made = files.written(found.key, graph, last)
        del graph  # what was built in memory: from now on the file is looked at
        with self.connections.writing() as db:
            current = set_graph_row(db, found.key, made)
        files.remove_others(found.key, made.file if current else "")
        opened = files.opened(made, found.space.dim) if current else None
        if opened is not None:
            projector.adopt(found.key, opened, made)

    def _build_in_memory(
        self, found: tables.Found, projector: Projector, stop: threading.Event, threads: int
    ) -> None:
        graph, last = projector.graph(found.key)
        graph, last = self._grown(found, graph.copy() if graph else None, last, stop, threads)
        if not stop.is_set():
            projector.adopt(found.key, graph, GraphRow(last_face=last))

    def _grown(
        self,
        found: tables.Found,
        graph: Graph | None,
        last: int,
        stop: threading.Event,
        threads: int,
    ) -> tuple[Graph, int]:
        """Return a graph with all faces, and the highest key of a face in it.

        Rows are read a batch at a time: a long transaction would keep the log from being emptied.
        """
        if graph is None or self._mostly_gone(found, graph, last):
            graph, last = Graph(found.space.dim), 0
        while not stop.is_set() and (batch := self._after(found, last)):
            keys, vectors = batch
            graph.add(keys, vectors, threads=threads, stop=stop)
            last = int(keys[-1])
        return graph, last

    def _after(self, found: tables.Found, last: int) -> tuple[Keys, Floats] | None:
        with self.connections.committed() as db:
            dim = found.space.dim
            for keys, _, vectors in faces_after(db, found.key, last, dim, self.seal):
                return as_keys(keys), vectors
        return None

    def _mostly_gone(self, found: tables.Found, graph: Graph, last: int) -> bool:
        """Return whether too many faces of a graph are no longer in the tables."""
        with self.connections.committed() as db:
            alive = tables.count_up_to(db, found, last)
        return alive < len(graph) * _ALIVE
