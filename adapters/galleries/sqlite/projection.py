"""The faces of a collection in memory, kept up with the file."""

import threading
from collections.abc import Iterator

import attrs
from sqlite_utils import Database

from facecv.adapters.galleries.index import FaceIndex, IndexView
from facecv.adapters.galleries.sqlite.rows import as_vectors
from facecv.adapters.galleries.sqlite.tables import Found
from facecv.core.arrays import Floats

_BATCH = 4096


@attrs.frozen(eq=False)
class Projection:
    """A collection's faces at one revision.

    Attributes:
        collection: key of the collection.
        last_face: the highest key of a face seen.
        last_removal: the highest key of a removal seen.
        view: the faces.
    """

    collection: int
    last_face: int
    last_removal: int
    view: IndexView


class Projector:
    """Keeps up the projection of one collection."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._index = FaceIndex(1)
        self._now: Projection | None = None

    def projection(self, db: Database, name: str) -> Projection | None:
        """Return the collection as `db` sees it; None if it is not there.

        The first query of `db` must be this one: the lock sees to it that what a connection sees
        is never older than what an earlier one has put into the index.
        """
        with self._lock:
            row = db.execute(
                "SELECT c.key, s.dim FROM collections c JOIN spaces s ON s.key = c.space"
                " WHERE c.name = ?",
                [name],
            ).fetchone()
            if row is None:
                return None
            if self._now is None or self._now.collection != row[0]:
                self._index = FaceIndex(row[1])
                self._now = Projection(row[0], 0, _last_removal(db), self._index.view())
            self._now = self._caught_up(db, self._now, row[1])
            return self._now

    def _caught_up(self, db: Database, before: Projection, dim: int) -> Projection:
        last_face = before.last_face
        for faces, persons, vectors in _added(db, before, dim):
            self._index.add(faces, persons, vectors)
            last_face = faces[-1]
        removed = _removed(db, before)
        if removed:
            self._index.remove(removed)
        return Projection(
            before.collection,
            last_face,
            max(before.last_removal, _last_removal(db)),
            self._index.view(),
        )


def empty_projection(found: Found) -> Projection:
    """Return a projection that has seen nothing of a collection."""
    return Projection(found.key, 0, 0, FaceIndex(found.collection.space.dim).view())


def changes(db: Database, since: Projection) -> tuple[FaceIndex, list[int]]:
    """Return the faces that came after a projection, and the keys of those that went."""
    dim = since.view.vectors.shape[1]
    fresh = FaceIndex(dim)
    for batch in _added(db, since, dim):
        fresh.add(*batch)
    return fresh, _removed(db, since)


def _added(
    db: Database, since: Projection, dim: int
) -> Iterator[tuple[list[int], list[int], Floats]]:
    """Yield keys, persons and vectors of the faces above the highest key seen."""
    cursor = db.execute(
        "SELECT key, person, vector FROM faces WHERE collection = ? AND key > ? ORDER BY key",
        [since.collection, since.last_face],
    )
    while rows := cursor.fetchmany(_BATCH):
        faces, persons, blobs = zip(*rows, strict=True)
        yield list(faces), list(persons), as_vectors(list(blobs), dim)


def _removed(db: Database, since: Projection) -> list[int]:
    rows = db.execute("SELECT face FROM removals WHERE key > ?", [since.last_removal])
    return [face for (face,) in rows]


def _last_removal(db: Database) -> int:
    return int(db.execute("SELECT coalesce(max(key), 0) FROM removals").fetchone()[0])
