"""What the gallery asks of its tables. Each function runs on a connection lent to it."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import attrs
from sqlite_utils import Database

from facecv.adapters.galleries.sqlite import rows
from facecv.adapters.galleries.sqlite.rows import Row
from facecv.core.embedding import EmbeddingSpace, check_same_space
from facecv.core.errors import (
    AlreadyExistsError,
    CollectionNotFoundError,
    FaceRecordNotFoundError,
    PersonNotFoundError,
)
from facecv.core.gallery import Collection, Counts, FaceRecord, Person, SearchQuery

_COLLECTIONS = """
SELECT c.*, s.model AS space_model, s.dim AS space_dim, s.digest AS space_digest,
    s.preprocessing AS space_preprocessing
FROM collections c JOIN spaces s ON s.key = c.space
"""
_FACES = """
SELECT f.*, p.id AS person_id, s.model AS space_model, s.dim AS space_dim, s.digest AS space_digest,
    s.preprocessing AS space_preprocessing
FROM faces f JOIN persons p ON p.key = f.person JOIN spaces s ON s.key = f.space
"""


@attrs.frozen
class Found:
    """A collection, and the keys of its row and of its space's."""

    key: int
    space: int
    collection: Collection


def collections(db: Database) -> list[Collection]:
    """Return all collections, by name."""
    return [rows.as_collection(row) for row in db.query(_COLLECTIONS + "ORDER BY c.name")]


def find_collection(db: Database, name: str) -> Found:
    """Return a collection; raise `CollectionNotFoundError`."""
    for row in db.query(_COLLECTIONS + "WHERE c.name = ?", [name]):
        return Found(row["key"], row["space"], rows.as_collection(row))
    raise CollectionNotFoundError(f"there is no collection {name!r}")


def insert_collection(db: Database, collection: Collection) -> None:
    """Add a collection, and its space if that is new."""
    row = rows.collection_row(collection) | {"space": _space_key(db, collection.space)}
    try:
        db.table("collections").insert(row)
    except sqlite3.IntegrityError as error:
        raise AlreadyExistsError(f"there is a collection {collection.name!r} already") from error


def update_collection(db: Database, collection: Collection) -> None:
    """Replace what may change of a collection."""
    found = find_collection(db, collection.name)
    check_same_space(found.collection.space, collection.space)
    row = rows.collection_row(collection)
    del row["created"]
    db.table("collections").update(found.key, row)


def find_person(db: Database, found: Found, person_id: str) -> Row:
    """Return a person's row; raise `PersonNotFoundError`."""
    where = "collection = ? AND id = ?"
    for row in db.table("persons").rows_where(where, [found.key, person_id]):
        return row
    raise PersonNotFoundError(f"there is no person {person_id!r} in {found.collection.name!r}")


def persons(
    db: Database, found: Found, *, name: str | None, after: str, limit: int
) -> list[Person]:
    """Return persons by rising id."""
    where = "collection = ? AND id > ?"
    values = [found.key, after]
    if name is not None:
        where += " AND name = ?"
        values.append(name)
    chosen = db.table("persons").rows_where(where, values, order_by="id", limit=limit or None)
    return [rows.as_person(row) for row in chosen]


def insert_person(db: Database, found: Found, person: Person) -> int:
    """Add a person; return its key."""
    try:
        db.table("persons").insert(rows.person_row(person) | {"collection": found.key})
    except sqlite3.IntegrityError as error:
        raise AlreadyExistsError(
            f"there is a person {person.id!r} in {found.collection.name!r} already"
        ) from error
    return int(find_person(db, found, person.id)["key"])


def update_person(db: Database, found: Found, person: Person) -> None:
    """Replace a person's name and metadata."""
    row = rows.person_row(person)
    del row["created"]
    db.table("persons").update(find_person(db, found, person.id)["key"], row)


def faces_page(
    db: Database, found: Found, person_id: str | None, after: tuple[str, str], limit: int
) -> list[tuple[str, FaceRecord]]:
    """Return the (person id, face) that follow `after`, the ids of a person and of a face."""
    where, values = "f.collection = ? AND (p.id, f.id) > (?, ?)", [found.key, *after]
    if person_id is not None:
        where, values = f"{where} AND p.id = ?", [*values, person_id]
    page = db.query(
        f"{_FACES} WHERE {where} ORDER BY p.id, f.id LIMIT ?",
        [*values, limit],
    )
    return [(row["person_id"], rows.as_face(row, rows.as_space(row))) for row in page]


def insert_faces(db: Database, found: Found, person: int, faces: Sequence[FaceRecord]) -> None:
    """Add faces to the person with that key."""
    for face in faces:
        check_same_space(found.collection.space, face.embedding.space)
    owner = {"collection": found.key, "person": person, "space": found.space}
    for face in faces:
        try:
            db.table("faces").insert(rows.face_row(face) | owner)
        except sqlite3.IntegrityError as error:
            raise AlreadyExistsError(
                f"there is a face {face.id!r} in {found.collection.name!r} already"
            ) from error


def delete_face(db: Database, found: Found, face_id: str) -> None:
    """Delete a face; raise `FaceRecordNotFoundError`."""
    delete = "DELETE FROM faces WHERE collection = ? AND id = ?"
    if not db.execute(delete, [found.key, face_id]).rowcount:
        raise FaceRecordNotFoundError(f"there is no face {face_id!r} in {found.collection.name!r}")


def count(db: Database, found: Found) -> Counts:
    """Return how much a collection has."""
    where = ("collection = ?", [found.key])
    return Counts(
        persons=db.table("persons").count_where(*where), faces=db.table("faces").count_where(*where)
    )


def accepted_persons(db: Database, found: Found, query: SearchQuery) -> list[int]:
    """Return the keys of the persons that a query's filter accepts.

    SQLite drops those whose metadata cannot match; what is equal, Python says, as everywhere.
    """
    where = "collection = ?"
    values: list[int | str] = [found.key]
    for key, value in query.where.items():
        texts = [key, value] if isinstance(value, str) else [key]
        where += " AND instr(metadata, ?)" * len(texts)
        values += [json.dumps(text) for text in texts]
    some = db.table("persons").rows_where(where, values, select="key, metadata")
    return [row["key"] for row in some if query.accepts(rows.as_metadata(row["metadata"]))]


def persons_by_key(db: Database, keys: Iterable[int]) -> dict[int, Person]:
    """Return persons by their keys."""
    return {row["key"]: rows.as_person(row) for row in _by_key(db, "persons", "*", keys)}


def face_ids_by_key(db: Database, keys: Iterable[int]) -> dict[int, str]:
    """Return the ids of faces by their keys."""
    return {row["key"]: row["id"] for row in _by_key(db, "faces", "key, id", keys)}


def _by_key(db: Database, table: str, columns: str, keys: Iterable[int]) -> Iterable[Row]:
    numbers = json.dumps(sorted(set(keys)))  # one value, however many keys
    where = "key IN (SELECT value FROM json_each(?))"
    return db.table(table).rows_where(where, [numbers], select=columns)


def _space_key(db: Database, space: EmbeddingSpace) -> int:
    table = db.table("spaces")
    row: dict[str, Any] = attrs.asdict(space)
    table.insert(row, ignore=True)
    where = "model = :model AND dim = :dim AND digest = :digest AND preprocessing = :preprocessing"
    return int(next(table.rows_where(where, row))["key"])
