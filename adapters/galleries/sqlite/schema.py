"""The tables of a gallery file, and how older files become current ones."""

import sqlite3
import time
from collections.abc import Callable

from sqlite_utils import Database

from facecv.adapters.galleries.sqlite.rows import as_metadata, fact_rows
from facecv.core.errors import GallerySchemaError

APPLICATION_ID = 0x46435647  # "FCVG": how a gallery is told from any other SQLite file

_V1 = """
CREATE TABLE spaces (
    key INTEGER PRIMARY KEY,
    model TEXT NOT NULL,
    dim INTEGER NOT NULL CHECK (dim > 0),
    digest TEXT NOT NULL,
    preprocessing TEXT NOT NULL,
    UNIQUE (model, dim, digest, preprocessing)
);
CREATE TABLE collections (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    space INTEGER NOT NULL REFERENCES spaces(key),
    threshold REAL,
    margin REAL,
    store_crops INTEGER NOT NULL,
    metadata TEXT NOT NULL,
    created TEXT NOT NULL
);
CREATE TABLE persons (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    collection INTEGER NOT NULL REFERENCES collections(key) ON DELETE CASCADE,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    metadata TEXT NOT NULL,
    created TEXT NOT NULL,
    UNIQUE (collection, id)
);
CREATE INDEX persons_by_name ON persons (collection, name);
CREATE TABLE faces (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    collection INTEGER NOT NULL REFERENCES collections(key) ON DELETE CASCADE,
    person INTEGER NOT NULL REFERENCES persons(key) ON DELETE CASCADE,
    id TEXT NOT NULL,
    space INTEGER NOT NULL REFERENCES spaces(key),
    vector BLOB NOT NULL,
    norm REAL NOT NULL,
    source TEXT NOT NULL,
    digest TEXT NOT NULL,
    quality REAL,
    created TEXT NOT NULL,
    crop BLOB,
    UNIQUE (collection, id)
);
CREATE INDEX faces_by_person ON faces (person, id);
CREATE INDEX faces_by_age ON faces (collection, key);
CREATE TABLE removals (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    face INTEGER NOT NULL
);
CREATE TRIGGER log_removal AFTER DELETE ON faces BEGIN
    INSERT INTO removals (face) VALUES (old.key);
END;
"""

_V2 = """
CREATE TABLE facts (
    collection INTEGER NOT NULL,
    name TEXT NOT NULL,
    value NOT NULL,
    person INTEGER NOT NULL REFERENCES persons(key) ON DELETE CASCADE,
    PRIMARY KEY (collection, name, value, person)
) WITHOUT ROWID;
CREATE INDEX facts_by_person ON facts (person);
CREATE TABLE graphs (
    collection INTEGER PRIMARY KEY REFERENCES collections(key) ON DELETE CASCADE,
    file TEXT NOT NULL,
    digest TEXT NOT NULL,
    last_face INTEGER NOT NULL
);
CREATE TABLE seal (
    key INTEGER PRIMARY KEY CHECK (key = 1),
    proof BLOB NOT NULL
);
DROP TRIGGER log_removal;
CREATE TRIGGER log_removal AFTER DELETE ON faces BEGIN
    INSERT INTO removals (face) VALUES (old.key);
    DELETE FROM removals WHERE key <= (SELECT max(key) FROM removals) - 10000;
END;
"""
"""Facts are the metadata of persons, for filters; graphs say which file of vectors is current; the
seal proves which key encrypts. Whoever missed more than the log of removals holds reads the keys
of the faces that are left."""


def _create_tables(db: Database) -> None:
    db.executescript(_V1)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _index_metadata(db: Database) -> None:
    db.executescript(_V2)
    for person in db.query("SELECT key, collection, metadata FROM persons"):
        facts = fact_rows(as_metadata(person["metadata"]))
        owned = [(person["collection"], *fact, person["key"]) for fact in facts]
        db.conn.executemany("INSERT INTO facts VALUES (?, ?, ?, ?)", owned)


def _keep_gates(db: Database) -> None:
    db.execute("ALTER TABLE collections ADD COLUMN gate TEXT")


MIGRATIONS: tuple[Callable[[Database], None], ...] = (
    _create_tables,
    _index_metadata,
    _keep_gates,
)
"""Step N makes a file of version N one of version N + 1. Only ever append."""


def prepare(db: Database, path: object, patience: float) -> None:
    """Make the file behind a connection a gallery of the current version.

    Raises:
        GallerySchemaError: the file is something else, or of a newer version.
    """
    if _version(db, path) < len(MIGRATIONS):
        _migrate(db, path)
    _use_wal(db, patience)


def _version(db: Database, path: object) -> int:
    """Return the version of a gallery file, 0 if it is empty."""
    found = {name: _pragma(db, name) for name in ("application_id", "user_version")}
    tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if found["application_id"] != APPLICATION_ID and (tables or any(found.values())):
        raise GallerySchemaError(
            f"{path} is an SQLite file, but not a gallery", hint="give the path of another file"
        )
    version = found["user_version"]
    if version > len(MIGRATIONS):
        raise GallerySchemaError(
            f"{path} is a gallery of version {version}; this program knows {len(MIGRATIONS)}",
            hint="upgrade facecv",
        )
    return version


def _pragma(db: Database, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])


def _migrate(db: Database, path: object) -> None:
    """Apply the missing steps, all or none; of two programs at once, one does it."""
    db.execute("BEGIN IMMEDIATE")
    try:
        for step in MIGRATIONS[_version(db, path) :]:
            step(db)
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        db.execute("COMMIT")
    except BaseException:
        db.rollback()
        raise


def _use_wal(db: Database, patience: float) -> None:
    """Let readers and a writer work side by side; the file remembers it."""
    deadline = time.monotonic() + patience
    while db.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:  # SQLite does not wait for other connections here, whatever its busy timeout
            db.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.01)
