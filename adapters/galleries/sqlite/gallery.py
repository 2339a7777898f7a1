"""The gallery port on SQLite tables."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sqlite_utils import Database

from facecv.adapters.galleries.graph import GRAPH_FROM
from facecv.adapters.galleries.sqlite import rows, tables
from facecv.adapters.galleries.sqlite.builder import GraphBuilder
from facecv.adapters.galleries.sqlite.connections import Connections
from facecv.adapters.galleries.sqlite.graph_files import GraphFiles
from facecv.adapters.galleries.sqlite.keys import check_seal, reseal, seal_of, stored_proof
from facecv.adapters.galleries.sqlite.projection import Projector, empty_projection
from facecv.adapters.galleries.sqlite.seal import Seal
from facecv.adapters.galleries.sqlite.search import Search
from facecv.adapters.galleries.upkeep import Upkeep
from facecv.core.embedding import Embedding
from facecv.core.errors import GalleryKeyError
from facecv.core.gallery import (
    NO_METADATA,
    Collection,
    Counts,
    FaceRecord,
    Match,
    Metadata,
    NewPerson,
    Person,
    SearchQuery,
)

_PAGE = 256
_ID_PAGE = 4096


class SqliteGallery:
    """Keeps everything in one file, which threads and processes may share.

    Readers never wait. Writers wait for one another, up to `busy_timeout` seconds. Collections of
    more than `graph_from` faces are searched by a graph, which is made in a thread of its own and
    kept in a folder beside the file; until it is ready, searches compare every face.
    """

    def __init__(
        self,
        path: Path,
        *,
        busy_timeout: float = 30.0,
        graph_from: int = GRAPH_FROM,
        key: bytes | None = None,
    ) -> None:
        """Open a gallery file; make it, and its folder, if it is not there.

        Args:
            path: the file.
            busy_timeout: seconds to wait for other writers.
            graph_from: faces of a collection from which a graph is used.
            key: 32 bytes that encrypt vectors and crops; None: they are not encrypted.

        Raises:
            GallerySchemaError: the file is not a gallery, is one of a newer version, or cannot be
                written.
            GalleryKeyError: it is encrypted with another key, or not at all.
            RuntimeMissingError: the package that encrypts is not installed.
        """
        self._connections = Connections(Path(path), busy_timeout)
        self._graph_from = graph_from
        self._upkeep = Upkeep()
        try:
            seal = seal_of(key)
            with self._connections.writing() as db:
                proof = check_seal(db, Path(path), seal)
        except BaseException:
            self._connections.close()
            raise
        self._use(seal, proof)

    def rotate_key(self, key: bytes | None, /) -> None:
        """Encrypt all vectors and crops with another key; None: store them as they are.

        All or nothing; other programs that have the gallery open must be started anew.
        """
        seal = seal_of(key)
        with self._writing() as db:
            proof = reseal(db, self._seal, seal)
        GraphFiles(self._connections.path).remove_all()
        self._use(seal, proof)
        self._connections.compact()

    def _use(self, seal: Seal, proof: bytes) -> None:
        """Encrypt with `seal`; what is secret is nowhere on the disk but in the tables."""
        self._seal, self._proof = seal, proof
        self._files = None if seal.secret else GraphFiles(self._connections.path)
        self._builder = GraphBuilder(self._connections, seal, self._files)
        self._projectors: dict[str, Projector] = {}

    @contextmanager
    def _writing(self) -> Iterator[Database]:
        """Lend a connection that may write faces: the key has not changed since."""
        with self._connections.writing() as db:
            if stored_proof(db) != self._proof:
                raise GalleryKeyError(
                    f"the key of {self._connections.path} was changed", hint="open it again"
                )
            yield db

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Return a context whose changes are committed together."""
        with self._connections.transaction():
            yield

    def create_collection(self, collection: Collection, /) -> None:
        """Add an empty collection."""
        with self._connections.writing() as db:
            tables.insert_collection(db, collection)

    def collection(self, name: str, /) -> Collection:
        """Return a collection."""
        with self._connections.reading() as db:
            return tables.collection(db, name)

    def collections(self) -> list[Collection]:
        """Return all collections, by name."""
        with self._connections.reading() as db:
            return tables.collections(db)

    def update_collection(self, collection: Collection, /) -> None:
        """Replace what may change of a collection."""
        with self._connections.writing() as db:
            tables.update_collection(db, collection)

    def delete_collection(self, name: str, /) -> None:
        """Delete a collection with all it holds."""
        with self._connections.writing() as db:
            found = tables.find_collection(db, name)
            db.table("collections").delete(found.key)
        if self._files and not self._connections.in_transaction:
            self._files.remove_others(found.key)

    def replace_collection(self, name: str, by: str, /) -> None:
        """Put one collection in the place of another."""
        with self._connections.writing() as db:
            tables.replace_collection(db, name, by)

    def add_person(self, collection: str, person: Person, faces: Sequence[FaceRecord], /) -> None:
        """Add a person with any number of faces."""
        self.add_persons(collection, [(person, faces)])

    def add_persons(self, collection: str, persons: Sequence[NewPerson], /) -> None:
        """Add persons with their faces."""
        with self._writing() as db:
            found = tables.find_collection(db, collection)
            keys = tables.insert_persons(db, found, [person for person, _ in persons])
            added = zip(keys, persons, strict=True)
            owned = ((key, face) for key, (_, faces) in added for face in faces)
            tables.insert_faces(db, found, owned, self._seal)

    def add_faces(self, collection: str, person_id: str, faces: Sequence[FaceRecord], /) -> None:
        """Add faces to a person."""
        with self._writing() as db:
            found = tables.find_collection(db, collection)
            person = tables.find_person(db, found, person_id)
            owned = ((person["key"], face) for face in faces)
            tables.insert_faces(db, found, owned, self._seal)

    def person(self, collection: str, person_id: str, /) -> Person:
        """Return a person."""
        with self._connections.reading() as db:
            found = tables.find_collection(db, collection)
            return rows.as_person(tables.find_person(db, found, person_id))

    def persons(
        self,
        collection: str,
        /,
        *,
        name: str | None = None,
        where: Metadata = NO_METADATA,
        after: str = "",
        limit: int = 0,
    ) -> list[Person]:
        """Return persons by rising id."""
        with self._connections.reading() as db:
            found = tables.find_collection(db, collection)
            return tables.persons(db, found, name=name, where=where, after=after, limit=limit)

    def update_person(self, collection: str, person: Person, /) -> None:
        """Replace a person's name and metadata."""
        with self._connections.writing() as db:
            tables.update_person(db, tables.find_collection(db, collection), person)

    def delete_person(self, collection: str, person_id: str, /) -> None:
        """Delete a person with all faces."""
        with self._connections.writing() as db:
            found = tables.find_collection(db, collection)
            db.table("persons").delete(tables.find_person(db, found, person_id)["key"])

    def faces(
        self, collection: str, person_id: str | None = None, /
    ) -> Iterator[tuple[str, FaceRecord]]:
        """Yield (person id, face), read page by page."""
        with self._connections.reading() as db:
            found = tables.find_collection(db, collection)
            if person_id is not None:
                tables.find_person(db, found, person_id)
        return self._pages(found, person_id)

    def face_ids(self, collection: str, /) -> Iterator[tuple[str, str]]:
        """Yield (person id, face id), read page by page."""
        with self._connections.reading() as db:
            found = tables.find_collection(db, collection)
        return self._id_pages(found)

    def delete_face(self, collection: str, face_id: str, /) -> None:
        """Delete one face."""
        with self._connections.writing() as db:
            tables.delete_face(db, tables.find_collection(db, collection), face_id)

    def count(self, collection: str, /) -> Counts:
        """Return how much a collection has."""
        with self._connections.reading() as db:
            return tables.count(db, tables.find_collection(db, collection))

    def search(
        self, collection: str, probes: Sequence[Embedding], query: SearchQuery, /
    ) -> list[list[Match]]:
        """Return, for each probe, the persons most like it."""
        projector = self._projector(collection)
        with self._connections.committed() as db:
            projection = projector.projection(db, collection)
            if projector.overdue:
                self._upkeep.ask(collection, partial(self._builder.build, collection, projector))
            if not self._connections.in_transaction:
                if projection is None:
                    raise tables.no_collection(collection)
                return Search(db, projection, self._seal, query).matches(probes)
        with self._connections.reading() as db:
            found = tables.find_collection(db, collection)
            if projection is None or projection.found.key != found.key:
                projection = empty_projection(found)
            return Search(db, projection, self._seal, query, inside=True).matches(probes)

    def prepare(self, collection: str, /) -> None:
        """Bring the graph up to date if there should be one, and read what is not in it."""
        projector = self._projector(collection)
        self.collection(collection)
        with self._connections.committed() as db:
            due = projector.behind(db, collection)
        if not due:
            with self._connections.committed() as db:
                projector.projection(db, collection)
        if (due or projector.overdue) and not self._connections.in_transaction:
            self._builder.build(collection, projector, threading.Event(), wait=True)

    def close(self) -> None:
        """Stop what is under way beside, and close the connections."""
        self._upkeep.close()
        self._connections.close()
        self._projectors.clear()

    def _projector(self, collection: str) -> Projector:
        found = self._projectors.get(collection)
        if found is None:
            made = Projector(self._seal, self._files, self._graph_from)
            found = self._projectors.setdefault(collection, made)
        return found

    def _id_pages(self, found: tables.Found) -> Iterator[tuple[str, str]]:
        after = ("", "")
        while True:
            with self._connections.reading() as db:
                page = tables.face_ids_page(db, found, after=after, limit=_ID_PAGE)
            yield from page
            if len(page) < _ID_PAGE:
                return
            after = page[-1]

    def _pages(
        self, found: tables.Found, person_id: str | None
    ) -> Iterator[tuple[str, FaceRecord]]:
        after = ("", "")
        while True:
            with self._connections.reading() as db:
                page = tables.faces_page(db, found, person_id, self._seal, after=after, limit=_PAGE)
            yield from page
            if len(page) < _PAGE:
                return
            after = (page[-1][0], page[-1][1].id)
