"""What the gallery in memory holds of one collection."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import count

import attrs
import numpy as np

from facecv.adapters.galleries.graph import Graph
from facecv.adapters.galleries.index import FaceIndex
from facecv.adapters.galleries.ranking import Hit, Keys, as_keys
from facecv.core.arrays import Floats
from facecv.core.embedding import check_same_space
from facecv.core.errors import (
    AlreadyExistsError,
    FaceRecordNotFoundError,
    PersonNotFoundError,
)
from facecv.core.gallery import Collection, FaceRecord, Person, SearchQuery


@attrs.frozen(eq=False)
class _Kept:
    """A face, its person's id, and its key in the index."""

    key: int
    person: str
    record: FaceRecord


class Shelf:
    """The persons and faces of one collection. Every change puts its inverse on `undo`."""

    def __init__(self, collection: Collection, undo: list[Callable[[], object]]) -> None:
        self.collection = collection
        self.persons: dict[str, Person] = {}
        self.faces: dict[str, _Kept] = {}
        self.index = FaceIndex(collection.space.dim)  # the faces that are not in the graph
        self.graph: Graph | None = None
        self._undo = undo
        self._next = count()
        self._keys: dict[str, int] = {}  # of persons, in the index
        self._ids: dict[int, str] = {}  # of persons and faces, by key
        self._faces_of: dict[str, set[str]] = {}

    def update(self, collection: Collection) -> None:
        """Replace the collection's own values."""
        old, self.collection = self.collection, collection
        self._undo.append(lambda: setattr(self, "collection", old))

    def person(self, person_id: str) -> Person:
        """Return a person; raise `PersonNotFoundError`."""
        if person_id not in self.persons:
            raise PersonNotFoundError(
                f"there is no person {person_id!r} in {self.collection.name!r}"
            )
        return self.persons[person_id]

    def add_person(self, person: Person) -> None:
        """Add a person without faces."""
        if person.id in self.persons:
            raise AlreadyExistsError(
                f"there is a person {person.id!r} in {self.collection.name!r} already"
            )
        self._put_person(person, next(self._next))
        self._undo.append(lambda: self._drop_person(person.id))

    def update_person(self, person: Person) -> None:
        """Replace a person's values."""
        old, self.persons[person.id] = self.persons[person.id], person
        self._undo.append(lambda: self.persons.__setitem__(person.id, old))

    def delete_person(self, person_id: str) -> None:
        """Delete a person with all faces."""
        person = self.person(person_id)
        for face_id in list(self._faces_of[person_id]):
            self.delete_face(face_id)
        key = self._drop_person(person_id)
        self._undo.append(lambda: self._put_person(person, key))

    def add_faces(self, person_id: str, faces: Sequence[FaceRecord]) -> None:
        """Add faces to a person."""
        self.person(person_id)
        for face in faces:
            check_same_space(self.collection.space, face.embedding.space)
            if face.id in self.faces:
                raise AlreadyExistsError(
                    f"there is a face {face.id!r} in {self.collection.name!r} already"
                )
            kept = _Kept(next(self._next), person_id, _own(face))
            self._put_face(kept)
            self._undo.append(partial(self._drop_face, kept))

    def delete_face(self, face_id: str) -> None:
        """Delete a face."""
        if face_id not in self.faces:
            raise FaceRecordNotFoundError(
                f"there is no face {face_id!r} in {self.collection.name!r}"
            )
        kept = self.faces[face_id]
        self._drop_face(kept)
        self._undo.append(partial(self._put_face, kept))

    def faces_of(self, person_id: str | None) -> list[tuple[str, FaceRecord]]:
        """Return (person id, face) of one person or of all, by rising ids."""
        if person_id is None:
            everyone: Iterable[str] = sorted(self.persons)
        else:
            everyone = [self.person(person_id).id]
        return [
            (person, self.faces[face].record)
            for person in everyone
            for face in sorted(self._faces_of[person])
        ]

    def accepted(self, query: SearchQuery) -> Keys | None:
        """Return the index's keys of the persons that a query accepts; None: of all."""
        if not query.narrows:
            return None
        accepted = [
            self._keys[person.id] for person in self.persons.values() if query.accepts(person)
        ]
        return np.array(accepted, np.int64)

    def keys_of(self, persons: Keys) -> Keys:
        """Return the keys of the faces of some persons, by rising key."""
        ids = (self._ids[person] for person in persons.tolist())
        keys = (self.faces[face].key for person in ids for face in self._faces_of[person])
        return np.sort(as_keys(keys))

    def look_up(self, faces: Keys) -> Iterator[tuple[int, int, Floats]]:
        """Yield (key, key of the person, vector) of those of some faces that are there."""
        for key in faces.tolist():
            kept = self.faces.get(self._ids.get(key, ""))
            if kept is not None:
                yield key, self._keys[kept.person], kept.record.embedding.vector

    def use_graph(self, graph: Graph, added: Keys) -> None:
        """Search with a graph to which faces were added."""
        self.graph = graph
        self.index.remove(added)

    def forget_graph(self) -> None:
        """Put all faces back into the index."""
        self.graph, self.index = None, FaceIndex(self.collection.space.dim)
        for kept in sorted(self.faces.values(), key=lambda kept: kept.key):
            vector = kept.record.embedding.vector
            self.index.add([kept.key], [self._keys[kept.person]], vector[None])

    def person_of(self, hit: Hit) -> Person:
        """Return the person that a search found."""
        return self.persons[self._ids[hit.person]]

    def face_of(self, hit: Hit) -> str:
        """Return the id of the face that a search found."""
        return self._ids[hit.face]

    def _put_person(self, person: Person, key: int) -> None:
        self.persons[person.id] = person
        self._faces_of[person.id] = set()
        self._keys[person.id] = key
        self._ids[key] = person.id

    def _drop_person(self, person_id: str) -> int:
        del self.persons[person_id], self._faces_of[person_id]
        key = self._keys.pop(person_id)
        del self._ids[key]
        return key

    def _put_face(self, kept: _Kept) -> None:
        self.faces[kept.record.id] = kept
        self._faces_of[kept.person].add(kept.record.id)
        self._ids[kept.key] = kept.record.id
        vector = kept.record.embedding.vector
        self.index.add([kept.key], [self._keys[kept.person]], vector[None])

    def _drop_face(self, kept: _Kept) -> None:
        del self.faces[kept.record.id], self._ids[kept.key]
        self._faces_of[kept.person].discard(kept.record.id)
        self.index.remove([kept.key])


def _own(face: FaceRecord) -> FaceRecord:
    """Return `face` with a crop that nobody else can change."""
    if face.crop is None or not face.crop.flags.writeable:
        return face
    crop = face.crop.copy()
    crop.flags.writeable = False
    return attrs.evolve(face, crop=crop)
