"""Events in tables of their own in the gallery's SQLite file."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from facecv.adapters.events.event_rows import (
    COLUMNS,
    as_event,
    condition,
    event_row,
    microseconds,
)
from facecv.adapters.events.memory_store import position_of
from facecv.core.errors import GalleryError
from facecv.core.event import Event, EventPage, EventQuery
from facecv.core.gallery import now

_TABLES = """
CREATE TABLE IF NOT EXISTS stream_events (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    collection TEXT NOT NULL,
    track TEXT NOT NULL,
    person_id TEXT NOT NULL,
    time INTEGER NOT NULL,
    body TEXT NOT NULL,
    crop BLOB,
    space TEXT,
    vector BLOB,
    added INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS stream_events_by_time ON stream_events (time);
CREATE INDEX IF NOT EXISTS stream_events_by_person ON stream_events (person_id, key)
    WHERE person_id <> '';
CREATE INDEX IF NOT EXISTS stream_events_by_track ON stream_events (track);
"""
_HAS_ADDED = "SELECT count(*) FROM pragma_table_info('stream_events') WHERE name = 'added'"
_ADD_ADDED = "ALTER TABLE stream_events ADD COLUMN added INTEGER NOT NULL DEFAULT 0"
_ENCRYPTED = "SELECT count(*) FROM sqlite_master WHERE name = 'seal' AND type = 'table'"
_BARE = """
UPDATE stream_events SET crop = NULL, space = NULL, vector = NULL
WHERE vector IS NOT NULL OR crop IS NOT NULL
"""
_NAMES, _MARKS = ", ".join(COLUMNS), ", ".join(f":{name}" for name in COLUMNS)
_FORGET = "DELETE FROM stream_events WHERE added < ?"
_INSERT = f"INSERT OR IGNORE INTO stream_events ({_NAMES}) VALUES ({_MARKS})"  # noqa: S608 - names

_LAST = "SELECT seq FROM sqlite_sequence WHERE name = 'stream_events'"  # forgotten ones too


class SqliteEventStore:
    """Keeps events in a file, which threads and processes may share.

    The file should be a gallery already: tables of events alone do not make one. Of an encrypted
    gallery, faces must not lie beside it in the clear: events are kept without crop and embedding
    there, and strangers cannot be grouped.
    """

    def __init__(self, path: Path, *, busy_timeout: float = 30.0) -> None:
        """Open a file, and add the tables for events if they are not there.

        Raises:
            GalleryError: the file cannot be used.
        """
        self._path = path
        self._lock = threading.Lock()
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                path, timeout=busy_timeout, isolation_level=None, check_same_thread=False
            )
            self._db.row_factory = sqlite3.Row
            self._db.executescript(_TABLES)
            self._upgrade()
            if self._is_encrypted():
                self._db.execute("PRAGMA secure_delete = ON")
                self._db.execute(_BARE)
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def add(self, events: Sequence[Event], /) -> None:
        """Keep events that are not there yet, all or none."""
        added = microseconds(now())
        rows = [{**event_row(event), "added": added} for event in events]
        with self._translated(), self._lock, self._transaction():
            if self._is_encrypted():
                rows = [{**row, "crop": None, "space": None, "vector": None} for row in rows]
            self._db.executemany(_INSERT, rows)

    def page(
        self, query: EventQuery, /, *, after: str = "", limit: int = 100, newest: bool = False
    ) -> EventPage:
        """Return events in the order in which they were added, or the other way round."""
        where, values = condition(query)
        start = position_of(after)
        if start is not None:
            where, values = f"{where} AND key {'<' if newest else '>'} ?", [*values, start]
        order = "DESC" if newest else "ASC"
        text = f"SELECT * FROM stream_events WHERE {where} ORDER BY key {order} LIMIT ?"  # noqa: S608 - no value
        with self._translated(), self._lock:
            rows = self._db.execute(text, [*values, limit + 1]).fetchall()
        positions = tuple(str(row["key"]) for row in rows[:limit])
        cursor = positions[-1] if len(rows) > limit else ""
        return EventPage(tuple(as_event(row) for row in rows[:limit]), cursor, positions)

    def tail(self, after: str = "", /) -> str:
        """Return where to read on for what was added after a cursor."""
        start = position_of(after)
        with self._translated(), self._lock:
            row = self._db.execute(_LAST).fetchone()
        last = row[0] if row else 0
        return str(last if start is None else min(start, last))

    def remove(self, query: EventQuery, /) -> int:
        """Forget events."""
        where, values = condition(query)
        with self._translated(), self._lock:
            return self._db.execute(f"DELETE FROM stream_events WHERE {where}", values).rowcount  # noqa: S608 - no value

    def forget(self, before: datetime, /) -> int:
        """Forget events that were added before a moment."""
        with self._translated(), self._lock:
            return self._db.execute(_FORGET, [microseconds(before)]).rowcount

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _upgrade(self) -> None:
        """Take over a file in which events have only the time at which they happened."""
        if self._db.execute(_HAS_ADDED).fetchone()[0]:
            return
        with self._transaction():
            if not self._db.execute(_HAS_ADDED).fetchone()[0]:
                self._db.execute(_ADD_ADDED)
                self._db.execute("UPDATE stream_events SET added = time")

    def _is_encrypted(self) -> bool:
        """Return whether the gallery in this file is encrypted by now."""
        if not self._db.execute(_ENCRYPTED).fetchone()[0]:
            return False
        return self._db.execute("SELECT proof FROM seal").fetchone() is not None

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self._db.rollback()
            raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise GalleryError(f"{self._path} cannot keep events: {error}") from error
