"""What the gallery asks of its tables. Each function runs on a connection lent to it."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import attrs
from sqlite_utils import Database

from facecv.adapters.galleries.ranking import Keys, as_keys
from facecv.adapters.galleries.sqlite import rows
from facecv.adapters.galleries.sqlite.rows import Row
from facecv.adapters.galleries.sqlite.seal import Seal
from facecv.core.embedding import EmbeddingSpace, check_same_space
from facecv.core.errors import (
    AlreadyExistsError,
    CollectionNotFoundError,
    FaceRecordNotFoundError,
    PersonNotFoundError,
)
from facecv.core.gallery import Collection, Counts, FaceRecord, Metadata, Person

_COLLECTIONS = """
SELECT c.*, s.model AS space_model, s.dim AS space_dim, s.digest AS space_digest,
    s.preprocessing AS space_preprocessing
FROM collections c JOIN spaces s ON s.key = c.space
"""
_FIND = """
SELECT c.key, s.key, s.model, s.dim, s.digest, s.preprocessing
FROM collections c JOIN spaces s ON s.key = c.space WHERE c.name = ?
"""
_FACES = """
SELECT f.*, p.id AS person_id, s.model AS space_model, s.dim AS space_dim, s.digest AS space_digest,
    s.preprocessing AS space_preprocessing
FROM faces f JOIN persons p ON p.key = f.person JOIN spaces s ON s.key = f.space
"""
_FACE_IDS = """
SELECT p.id, f.id FROM faces f JOIN persons p ON p.key = f.person
WHERE f.collection = ? AND (p.id, f.id) > (?, ?) ORDER BY p.id, f.id LIMIT ?
"""
_WITH_FACT = "SELECT person FROM facts WHERE collection = ? AND name = ? AND value = ?"
_INSERT_PERSON = """
INSERT INTO persons (key, collection, id, name, metadata, created) VALUES (?, ?, ?, ?, ?, ?)
"""
_LAST_PERSON = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'persons'"
_INSERT_FACE = """
INSERT INTO faces
    (collection, person, space, id, vector, norm, source, digest, quality, created, crop)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_PERSONS_BY_KEY = "SELECT * FROM persons WHERE key IN (SELECT value FROM json_each(?))"
_FACE_IDS_BY_KEY = "SELECT key, id FROM faces WHERE key IN (SELECT value FROM json_each(?))"
_COUNT_PERSONS = """
SELECT count(*) FROM (SELECT 1 FROM persons WHERE collection = ? LIMIT ?)
"""
_FACES_OF = """
SELECT key FROM faces WHERE person IN (SELECT value FROM json_each(?)) AND key <= ?
"""


@attrs.frozen
class Found:
    """What is needed to work with the rows of a collection.

    Attributes:
        key: of its row.
        name: of the collection.
        space_key: of the row of its space.
        space: the space.
    """

    key: int
    name: str
    space_key: int
    space: EmbeddingSpace


def collections(db: Database) -> list[Collection]:
    """Return all collections, by name."""
    return [rows.as_collection(row) for row in db.query(_COLLECTIONS + "ORDER BY c.name")]


def collection(db: Database, name: str) -> Collection:
    """Return a collection; raise `CollectionNotFoundError`."""
    for row in db.query(_COLLECTIONS + "WHERE c.name = ?", [name]):
        return rows.as_collection(row)
    raise no_collection(name)


def find_collection(db: Database, name: str) -> Found:
    """Return where the rows of a collection are; raise `CollectionNotFoundError`."""
    row = db.conn.execute(_FIND, [name]).fetchone()
    if row is None:
        raise no_collection(name)
    key, space_key, *space = row
    return Found(key, name, space_key, EmbeddingSpace(*space))


def no_collection(name: str) -> CollectionNotFoundError:
    """Return the error that says that a collection is not there."""
    return CollectionNotFoundError(
        f"there is no collection {name!r}", hint="enrolling somebody makes it"
    )


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
    check_same_space(found.space, collection.space)
    row = rows.collection_row(collection)
    del row["created"]
    db.table("collections").update(found.key, row)


def replace_collection(db: Database, name: str, by: str) -> None:
    """Delete one collection and give its name to another."""
    old, new = find_collection(db, name), find_collection(db, by)
    if old.key != new.key:
        db.table("collections").delete(old.key)
        db.table("collections").update(new.key, {"name": name})


def find_person(db: Database, found: Found, person_id: str) -> Row:
    """Return a person's row; raise `PersonNotFoundError`."""
    where = "collection = ? AND id = ?"
    for row in db.table("persons").rows_where(where, [found.key, person_id]):
        return row
    raise PersonNotFoundError(f"there is no person {person_id!r} in {found.name!r}")


def persons(
    db: Database, found: Found, *, name: str | None, where: Metadata, after: str, limit: int
) -> list[Person]:
    """Return persons by rising id."""
    clause = "collection = ? AND id > ?"
    values = [found.key, after]
    if name is not None:
        clause += " AND name = ?"
        values.append(name)
    for fact in rows.fact_rows(where):
        clause += f" AND key IN ({_WITH_FACT})"
        values += [found.key, *fact]
    chosen = db.table("persons").rows_where(clause, values, order_by="id", limit=limit or None)
    return [rows.as_person(row) for row in chosen]


def insert_persons(db: Database, found: Found, persons: Sequence[Person]) -> range:
    """Add persons; return their keys."""
    [last] = db.conn.execute(_LAST_PERSON).fetchone()
    keys = range(last + 1, last + 1 + len(persons))
    before = db.conn.total_changes
    try:
        db.conn.executemany(
            _INSERT_PERSON,
            (
                (key, found.key, *rows.person_row(person).values())
                for key, person in zip(keys, persons, strict=True)
            ),
        )
    except sqlite3.IntegrityError as error:
        taken = persons[db.conn.total_changes - before].id
        raise AlreadyExistsError(
            f"there is a person {taken!r} in {found.name!r} already"
        ) from error
    _insert_facts(db, found, zip(keys, persons, strict=True))
    return keys


def update_person(db: Database, found: Found, person: Person) -> None:
    """Replace a person's name and metadata."""
    row = rows.person_row(person)
    del row["created"]
    key = find_person(db, found, person.id)["key"]
    db.table("persons").update(key, row)
    db.conn.execute("DELETE FROM facts WHERE person = ?", [key])
    _insert_facts(db, found, [(key, person)])


def _insert_facts(db: Database, found: Found, persons: Iterable[tuple[int, Person]]) -> None:
    facts = (
        (found.key, *fact, key)
        for key, person in persons
        for fact in rows.fact_rows(person.metadata)
    )
    db.conn.executemany("INSERT INTO facts VALUES (?, ?, ?, ?)", facts)


def faces_page(
    db: Database,
    found: Found,
    person_id: str | None,
    seal: Seal,
    *,
    after: tuple[str, str],
    limit: int,
) -> list[tuple[str, FaceRecord]]:
    """Return the (person id, face) that follow `after`, the ids of a person and of a face."""
    where, values = "f.collection = ? AND (p.id, f.id) > (?, ?)", [found.key, *after]
    if person_id is not None:
        where, values = f"{where} AND p.id = ?", [*values, person_id]
    page = db.query(
        f"{_FACES} WHERE {where} ORDER BY p.id, f.id LIMIT ?",
        [*values, limit],
    )
    return [(row["person_id"], rows.as_face(row, rows.as_space(row), seal)) for row in page]


def face_ids_page(
    db: Database, found: Found, *, after: tuple[str, str], limit: int
) -> list[tuple[str, str]]:
    """Return the (person id, face id) that follow `after`."""
    return db.execute(_FACE_IDS, [found.key, *after, limit]).fetchall()


def insert_faces(
    db: Database, found: Found, faces: Iterable[tuple[int, FaceRecord]], seal: Seal
) -> None:
    """Add faces, each to the person with the key beside it."""
    latest = ""

    def values() -> Iterator[tuple[object, ...]]:
        nonlocal latest
        for person, face in faces:
            check_same_space(found.space, face.embedding.space)
            latest = face.id
            yield (found.key, person, found.space_key, *rows.face_values(face, seal))

    try:
        db.conn.executemany(_INSERT_FACE, values())
    except sqlite3.IntegrityError as error:
        raise AlreadyExistsError(f"there is a face {latest!r} in {found.name!r} already") from error


def delete_face(db: Database, found: Found, face_id: str) -> None:
    """Delete a face; raise `FaceRecordNotFoundError`."""
    delete = "DELETE FROM faces WHERE collection = ? AND id = ?"
    if not db.execute(delete, [found.key, face_id]).rowcount:
        raise FaceRecordNotFoundError(f"there is no face {face_id!r} in {found.name!r}")


def count(db: Database, found: Found) -> Counts:
    """Return how much a collection has."""
    where = ("collection = ?", [found.key])
    return Counts(
        persons=db.table("persons").count_where(*where), faces=db.table("faces").count_where(*where)
    )


def count_up_to(db: Database, found: Found, last_face: int) -> int:
    """Return how many faces a collection has up to a key."""
    return int(db.table("faces").count_where("collection = ? AND key <= ?", [found.key, last_face]))


def count_after(db: Database, found: Found, last_face: int) -> int:
    """Return how many faces a collection has beyond a key."""
    return int(db.table("faces").count_where("collection = ? AND key > ?", [found.key, last_face]))


def persons_up_to(db: Database, found: Found, limit: int) -> int:
    """Return how many persons a collection has, counting no further than `limit`."""
    return int(db.execute(_COUNT_PERSONS, [found.key, limit]).fetchone()[0])


def faces_of(db: Database, persons: Keys, last_face: int) -> Keys:
    """Return the keys of the faces of some persons, up to a key."""
    chosen = db.execute(_FACES_OF, [json.dumps(persons.tolist()), last_face])
    return as_keys(key for (key,) in chosen)


def persons_by_key(db: Database, keys: Iterable[int]) -> dict[int, Person]:
    """Return persons by their keys."""
    found = db.query(_PERSONS_BY_KEY, [_json_list(keys)])
    return {row["key"]: rows.as_person(row) for row in found}


def face_ids_by_key(db: Database, keys: Iterable[int]) -> dict[int, str]:
    """Return the ids of faces by their keys."""
    return dict(db.execute(_FACE_IDS_BY_KEY, [_json_list(keys)]))


def _json_list(keys: Iterable[int]) -> str:
    """Return keys as one value of a query, however many they are."""
    return json.dumps(sorted(set(keys)))


def _space_key(db: Database, space: EmbeddingSpace) -> int:
    table = db.table("spaces")
    row: dict[str, Any] = attrs.asdict(space)
    table.insert(row, ignore=True)
    where = "model = :model AND dim = :dim AND digest = :digest AND preprocessing = :preprocessing"
    return int(next(table.rows_where(where, row))["key"])
