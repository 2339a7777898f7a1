"""A gallery in memory: for tests, for trying things out, and for what must not be kept."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TypeVar

import attrs
import numpy as np

from facecv.adapters.galleries.graph import GRAPH_FROM, building_threads
from facecv.adapters.galleries.memory_search import growth, overdue, search
from facecv.adapters.galleries.memory_shelf import Shelf
from facecv.adapters.galleries.upkeep import Upkeep
from facecv.core.embedding import Embedding, check_same_space
from facecv.core.errors import AlreadyExistsError, CollectionNotFoundError
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

ValueT = TypeVar("ValueT", Collection, Person)


class MemoryGallery:
    """Keeps everything in this process; gone when it ends.

    One thread at a time: a transaction keeps the others waiting until it ends. Collections of more
    than `graph_from` faces are searched by a graph, which is made in a thread of its own; until it
    is ready, searches compare every face.
    """

    def __init__(self, *, graph_from: int = GRAPH_FROM) -> None:
        self._graph_from = graph_from
        self._upkeep = Upkeep()
        self._shelves: dict[str, Shelf] = {}
        self._lock = threading.RLock()
        self._growing = threading.Lock()
        self._undo: list[Callable[[], object]] = []
        self._depth = 0

    def transaction(self) -> AbstractContextManager[None]:
        """Return a context whose changes are undone if it fails."""
        return self._changing()

    def create_collection(self, collection: Collection, /) -> None:
        """Add an empty collection."""
        with self._changing():
            if collection.name in self._shelves:
                raise AlreadyExistsError(f"there is a collection {collection.name!r} already")
            shelf = Shelf(_own(collection), self._undo)
            self._shelves[collection.name] = shelf
            self._undo.append(lambda: self._shelves.pop(collection.name))

    def collection(self, name: str, /) -> Collection:
        """Return a collection."""
        with self._lock:
            return _own(self._shelf(name).collection)

    def collections(self) -> list[Collection]:
        """Return all collections, by name."""
        with self._lock:
            return [_own(self._shelves[name].collection) for name in sorted(self._shelves)]

    def update_collection(self, collection: Collection, /) -> None:
        """Replace what may change of a collection."""
        with self._changing():
            shelf = self._shelf(collection.name)
            check_same_space(shelf.collection.space, collection.space)
            shelf.update(attrs.evolve(_own(collection), created=shelf.collection.created))

    def delete_collection(self, name: str, /) -> None:
        """Delete a collection with all it holds."""
        with self._changing():
            shelf = self._shelf(name)
            del self._shelves[name]
            self._undo.append(lambda: self._shelves.__setitem__(name, shelf))

    def replace_collection(self, name: str, by: str, /) -> None:
        """Put one collection in the place of another."""
        with self._changing():
            old, new = self._shelf(name), self._shelf(by)
            new.update(attrs.evolve(new.collection, name=name))
            del self._shelves[by]
            self._shelves[name] = new
            self._undo.append(lambda: self._shelves.update({name: old, by: new}))

    def add_person(self, collection: str, person: Person, faces: Sequence[FaceRecord], /) -> None:
        """Add a person with any number of faces."""
        self.add_persons(collection, [(person, faces)])

    def add_persons(self, collection: str, persons: Sequence[NewPerson], /) -> None:
        """Add persons with their faces."""
        with self._changing():
            shelf = self._shelf(collection)
            for person, faces in persons:
                shelf.add_person(_own(person))
                shelf.add_faces(person.id, faces)

    def add_faces(self, collection: str, person_id: str, faces: Sequence[FaceRecord], /) -> None:
        """Add faces to a person."""
        with self._changing():
            self._shelf(collection).add_faces(person_id, faces)

    def person(self, collection: str, person_id: str, /) -> Person:
        """Return a person."""
        with self._lock:
            return _own(self._shelf(collection).person(person_id))

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
        query = SearchQuery(where=where)
        with self._lock:
            everybody = self._shelf(collection).persons
            ids = sorted(
                key
                for key, person in everybody.items()
                if key > after and name in {None, person.name} and query.accepts(person)
            )
            return [_own(everybody[key]) for key in ids[: limit or None]]

    def update_person(self, collection: str, person: Person, /) -> None:
        """Replace a person's name and metadata."""
        with self._changing():
            shelf = self._shelf(collection)
            old = shelf.person(person.id)
            shelf.update_person(attrs.evolve(_own(person), created=old.created))

    def delete_person(self, collection: str, person_id: str, /) -> None:
        """Delete a person with all faces."""
        with self._changing():
            self._shelf(collection).delete_person(person_id)

    def faces(
        self, collection: str, person_id: str | None = None, /
    ) -> Iterator[tuple[str, FaceRecord]]:
        """Yield (person id, face), as they are now."""
        with self._lock:
            return iter(self._shelf(collection).faces_of(person_id))

    def face_ids(self, collection: str, /) -> Iterator[tuple[str, str]]:
        """Yield (person id, face id), as they are now."""
        with self._lock:
            faces = self._shelf(collection).faces_of(None)
        return iter([(person, face.id) for person, face in faces])

    def delete_face(self, collection: str, face_id: str, /) -> None:
        """Delete one face."""
        with self._changing():
            self._shelf(collection).delete_face(face_id)

    def count(self, collection: str, /) -> Counts:
        """Return how much a collection has."""
        with self._lock:
            shelf = self._shelf(collection)
            return Counts(persons=len(shelf.persons), faces=len(shelf.faces))

    def search(
        self, collection: str, probes: Sequence[Embedding], query: SearchQuery, /
    ) -> list[list[Match]]:
        """Return, for each probe, the persons most like it."""
        with self._lock:
            shelf = self._shelf(collection)
            for probe in probes:
                check_same_space(shelf.collection.space, probe.space)
            if not probes:
                return []
            if overdue(shelf, self._graph_from) and not self._depth:
                self._upkeep.ask(collection, partial(self._grow, shelf, awaited=False))
            found = search(shelf, np.stack([probe.vector for probe in probes]), query)
            return [
                [
                    Match(_own(shelf.person_of(hit)), shelf.face_of(hit), hit.similarity)
                    for hit in hits
                ]
                for hits in found
            ]

    def prepare(self, collection: str, /) -> None:
        """Put the faces of a large collection into a graph."""
        with self._lock:
            shelf = self._shelf(collection)
            inside = bool(self._depth)  # whoever holds the lock must not wait for a builder
        if overdue(shelf, self._graph_from) and not inside:
            self._grow(shelf, threading.Event(), awaited=True)

    def close(self) -> None:
        """Stop what is under way beside."""
        self._upkeep.close()

    def _grow(self, shelf: Shelf, stop: threading.Event, *, awaited: bool) -> None:
        with self._growing:
            with self._lock:
                todo = growth(shelf)
            graph = todo.graph(stop, building_threads(awaited=awaited))
            if not stop.is_set():
                with self._lock:
                    shelf.use_graph(graph, todo.view.faces)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Keep other threads out, and undo what the block changed if it fails."""
        with self._lock:
            before = len(self._undo)
            self._depth += 1
            try:
                yield
            except BaseException:
                while len(self._undo) > before:
                    self._undo.pop()()
                raise
            finally:
                self._depth -= 1
                if not self._depth:
                    self._undo.clear()

    def _shelf(self, name: str) -> Shelf:
        if name not in self._shelves:
            raise CollectionNotFoundError(
                f"there is no collection {name!r}", hint="enrolling somebody makes it"
            )
        return self._shelves[name]


def _own(value: ValueT) -> ValueT:
    """Return `value` with metadata that nobody else can change."""
    return attrs.evolve(value, metadata=dict(value.metadata))
