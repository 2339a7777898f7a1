"""The faces of a collection as they are searched, kept up with the file.

Most faces of a large collection are in a graph; those that came after it, and all of a small one,
are compared one by one. The tables decide what a search returns: a graph may hold faces that are
gone, and only proposes.
"""

import threading
from collections.abc import Iterator, Sequence

import attrs
import numpy as np
from sqlite_utils import Database

from facecv.adapters.galleries.graph import Graph
from facecv.adapters.galleries.index import FaceIndex, IndexView
from facecv.adapters.galleries.ranking import Keys, as_keys
from facecv.adapters.galleries.sqlite.graph_files import GraphFiles, GraphRow
from facecv.adapters.galleries.sqlite.rows import open_vectors
from facecv.adapters.galleries.sqlite.seal import Seal
from facecv.adapters.galleries.sqlite.tables import Found, count_after, find_collection
from facecv.core.arrays import Floats

_BATCH = 4096
_COLLECTION = """
SELECT c.key, s.dim,
    (SELECT seq FROM sqlite_sequence WHERE name = 'faces'),
    (SELECT seq FROM sqlite_sequence WHERE name = 'removals'),
    coalesce(g.file, ''), coalesce(g.digest, ''), coalesce(g.last_face, 0)
FROM collections c JOIN spaces s ON s.key = c.space LEFT JOIN graphs g ON g.collection = c.key
WHERE c.name = ?
"""

State = tuple[int | None, ...]
"""The highest keys of faces and of removals that a gallery has given out: if they are the same,
nothing came and nothing went."""


@attrs.frozen(eq=False)
class Projection:
    """A collection's faces at one revision.

    Attributes:
        found: the collection, as it was when it was first seen.
        last_face: the highest key of a face seen.
        last_removal: the highest key of a removal seen.
        state: of the gallery when the faces were last read; None: they were not yet.
        view: the faces that came after the graph.
        graph: the other faces; None if there are none.
        last_in_graph: the highest key of a face in the graph.
    """

    found: Found
    last_face: int
    last_removal: int
    state: State | None
    view: IndexView
    graph: Graph | None = None
    last_in_graph: int = 0


class Projector:
    """Keeps up the projection of one collection.

    Args:
        seal: what the vectors are closed with.
        files: where graphs are; None: only in memory.
        graph_from: so many faces, and a thirtieth of those in the graph, are compared one by one
            before they should be put into the graph.
    """

    def __init__(self, seal: Seal, files: GraphFiles | None, graph_from: int) -> None:
        self._seal = seal
        self._files = files
        self._graph_from = graph_from
        self._lock = threading.Lock()
        self._index = FaceIndex(1)
        self._file = ""
        self._dead = 0
        self._now: Projection | None = None

    def projection(self, db: Database, name: str) -> Projection | None:
        """Return the collection as `db` sees it; None if it is not there.

        The first query of `db` must be this one: the lock sees to it that what a connection sees
        is never older than what an earlier one has put into the index.
        """
        with self._lock:
            now, state = self._begun(db, name)
            if now is not None:
                self._now = now = now if now.state == state else self._caught_up(db, now, state)
            return now

    def behind(self, db: Database, name: str) -> bool:
        """Return whether the graph lacks so many faces that a new one is due; read no vectors.

        As with `projection`, this must be the first query of `db`.
        """
        with self._lock:
            now, _ = self._begun(db, name)
            if now is None:
                return False
            self._now = now
            return self._is_much(count_after(db, now.found, now.last_in_graph))

    def adopt(self, collection: int, graph: Graph, row: GraphRow) -> None:
        """Use a graph that was just made, if it is of this collection and not older."""
        with self._lock:
            now = self._now
            if now and now.found.key == collection and now.last_in_graph <= row.last_face:
                self._file = row.file
                self._now = self._with_graph(now, graph, row.last_face)

    def graph(self, collection: int) -> tuple[Graph | None, int]:
        """Return the graph in use, and the highest key of a face in it."""
        with self._lock:
            now = self._now
            if now is None or now.found.key != collection:
                return None, 0
            return now.graph, now.last_in_graph

    @property
    def overdue(self) -> bool:
        """Whether a new graph would make searches faster."""
        now = self._now
        if now is None:
            return False
        held = len(now.graph) if now.graph else 0
        return self._is_much(len(now.view.faces)) or self._dead > held // 4

    def _is_much(self, faces: int) -> bool:
        """Return whether so many faces should be in the graph."""
        graph = self._now.graph if self._now else None
        return faces > max(self._graph_from, len(graph) // 30 if graph else 0)

    def _begun(self, db: Database, name: str) -> tuple[Projection | None, State]:
        """Return a projection of the collection with its graph, and what its state should be."""
        row = db.conn.execute(_COLLECTION, [name]).fetchone()
        if row is None:
            return None, (None, None)
        key, dim, *state, file, digest, last = row
        now = self._now
        if now is None or now.found.key != key:
            self._index, self._file, self._dead = FaceIndex(dim), "", 0
            found = find_collection(db, name)
            now = Projection(found, 0, _last_removal(db), None, self._index.view())
        return self._with_graph_of(now, GraphRow(file, digest, last), dim), tuple(state)

    def _with_graph_of(self, now: Projection, row: GraphRow, dim: int) -> Projection:
        """Return the projection with the graph that the tables name, if that is another one."""
        if self._files is None or row.file == self._file or row.last_face < now.last_in_graph:
            return now
        self._file = row.file
        graph = self._files.opened(row, dim)
        return now if graph is None else self._with_graph(now, graph, row.last_face)

    def _with_graph(self, now: Projection, graph: Graph, last: int) -> Projection:
        self._dead = 0
        self._index.remove(now.view.faces[now.view.faces <= last])
        return attrs.evolve(
            now,
            last_face=max(now.last_face, last),
            view=self._index.view(),
            graph=graph,
            last_in_graph=last,
        )

    def _caught_up(self, db: Database, before: Projection, state: State) -> Projection:
        last_face, dim = before.last_face, before.found.space.dim
        for faces, persons, vectors in _added(db, before, dim, self._seal):
            self._index.add(faces, persons, vectors)
            last_face = faces[-1]
        removed = _removed(db, before)
        if len(removed):
            self._index.remove(removed)
            self._dead += int(before.graph.contains(removed).sum()) if before.graph else 0
        return attrs.evolve(
            before,
            last_face=last_face,
            last_removal=max(before.last_removal, _last_removal(db)),
            state=state,
            view=self._index.view(),
        )


def empty_projection(found: Found) -> Projection:
    """Return a projection that has seen nothing of a collection."""
    return Projection(found, 0, 0, None, FaceIndex(found.space.dim).view())


def changes(db: Database, since: Projection, seal: Seal) -> tuple[FaceIndex, Keys]:
    """Return the faces that came after a projection, and the keys of those that went."""
    dim = since.view.vectors.shape[1]
    fresh = FaceIndex(dim)
    for batch in _added(db, since, dim, seal):
        fresh.add(*batch)
    return fresh, _removed(db, since)


def faces_after(
    db: Database, collection: int, last: int, dim: int, seal: Seal
) -> Iterator[tuple[list[int], list[int], Floats]]:
    """Yield keys, persons and vectors of the faces above a key, some thousands at once."""
    cursor = db.execute(
        "SELECT key, person, id, vector FROM faces WHERE collection = ? AND key > ? ORDER BY key",
        [collection, last],
    )
    while rows := cursor.fetchmany(_BATCH):
        yield (
            [key for key, *_ in rows],
            [person for _, person, *_ in rows],
            open_vectors([(face_id, vector) for *_, face_id, vector in rows], dim, seal),
        )


def _added(
    db: Database, since: Projection, dim: int, seal: Seal
) -> Iterator[tuple[list[int], list[int], Floats]]:
    return faces_after(db, since.found.key, since.last_face, dim, seal)


def _removed(db: Database, since: Projection) -> Keys:
    """Return the keys of faces that went, be they of this collection or not.

    The log holds the last removals only; if some were missed, those in view that are no longer
    there are returned.
    """
    log = db.execute(
        "SELECT key, face FROM removals WHERE key > ? ORDER BY key", [since.last_removal]
    ).fetchall()
    if log and log[0][0] != since.last_removal + 1:
        return _missing(db, since.view.faces)
    return as_keys(face for _, face in log)


def _missing(db: Database, faces: Sequence[int] | Keys) -> Keys:
    """Return which faces are not in the tables."""
    if not len(faces):
        return as_keys(())
    between = "SELECT key FROM faces WHERE key BETWEEN ? AND ?"
    there = db.execute(between, [int(np.min(faces)), int(np.max(faces))])
    return np.setdiff1d(faces, as_keys(key for (key,) in there))


def _last_removal(db: Database) -> int:
    return int(db.execute("SELECT coalesce(max(key), 0) FROM removals").fetchone()[0])
