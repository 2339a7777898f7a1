"""Events that wait to be delivered, in an SQLite file: what is in it survives a crash.

Events wait in lanes, one a track, so that one that cannot be delivered holds up its own lane only.
"""

import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

from facecv.core.errors import SinkError
from facecv.core.event import DeadLetter

_TABLES = """
CREATE TABLE IF NOT EXISTS outbox (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    address TEXT NOT NULL,
    lane TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL DEFAULT 0,
    problem TEXT NOT NULL DEFAULT '',
    dead INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS outbox_by_lane ON outbox (address, dead, lane, key);
"""
_HEADS = """
SELECT key, id, body, failures, due FROM outbox WHERE key IN (
    SELECT min(key) FROM outbox WHERE address = :address AND dead = 0 GROUP BY lane
) ORDER BY due, key LIMIT 1
"""


@attrs.frozen
class Letter:
    """An event that waits.

    Attributes:
        key: its place in the order of arrival.
        id: of the event.
        body: the event as JSON.
        failures: how many tries to deliver it have failed.
        due: when to try next, seconds since the epoch.
    """

    key: int
    id: str
    body: str
    failures: int = 0
    due: float = 0.0


class Outbox:
    """The letters for one address. Safe to use from several threads and processes."""

    def __init__(self, path: Path, address: str) -> None:
        """Open the file; make it, and its folder, if it is not there.

        Args:
            path: the file; outboxes for several addresses may share it.
            address: where letters go; only a digest of it is stored, since it may hold secrets.

        Raises:
            SinkError: it cannot be used.
        """
        self.path = path
        self.address = hashlib.sha256(address.encode()).hexdigest()[:32]
        self._lock = threading.Lock()
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                path, timeout=30.0, isolation_level=None, check_same_thread=False
            )
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(_TABLES)

    def put(self, event: Mapping[str, Any]) -> None:
        """Add an event to the lane of its track; it is on the disk when this returns."""
        lane = json.dumps([event.get("source"), event.get("track")])
        row = [self.address, lane, str(event.get("id", "")), json.dumps(event, ensure_ascii=False)]
        self._execute("INSERT INTO outbox (address, lane, id, body) VALUES (?, ?, ?, ?)", row)

    def next(self) -> Letter | None:
        """Return the letter that is due first among the first ones of all lanes."""
        rows = self._execute(_HEADS, {"address": self.address})
        return Letter(**rows[0]) if rows else None

    def delivered(self, letter: Letter) -> None:
        """Take a letter out."""
        self._execute("DELETE FROM outbox WHERE key = ?", [letter.key])

    def failed(self, letter: Letter, problem: str, delay: float | None) -> None:
        """Note that a letter could not be delivered.

        Args:
            letter: which.
            problem: why, without secrets.
            delay: seconds until the next try; None: it is given up, and goes to the dead letters.
        """
        due, dead = time.time() + (delay or 0.0), delay is None
        change = "UPDATE outbox SET failures = failures + 1, due = ?, problem = ?, dead = ?"
        self._execute(f"{change} WHERE key = ?", [due, problem, dead, letter.key])

    def pending(self) -> int:
        """Return how many letters wait."""
        where = "WHERE address = ? AND dead = 0"
        rows = self._execute(f"SELECT count(*) AS n FROM outbox {where}", [self.address])  # noqa: S608 - no value
        return int(rows[0]["n"])

    def dead_letters(self) -> list[DeadLetter]:
        """Return what was given up, oldest first."""
        where = "WHERE address = ? AND dead = 1 ORDER BY key"
        rows = self._execute(f"SELECT body, failures, problem FROM outbox {where}", [self.address])  # noqa: S608 - no value
        return [DeadLetter(json.loads(r["body"]), r["failures"], r["problem"]) for r in rows]

    def revive(self) -> int:
        """Put all dead letters back among those that wait; return how many."""
        count = len(self.dead_letters())
        change = "UPDATE outbox SET dead = 0, failures = 0, due = 0 WHERE address = ? AND dead = 1"
        self._execute(change, [self.address])
        return count

    def close(self) -> None:
        """Close the file. May be called twice."""
        with self._lock:
            self._db.close()

    def _execute(self, query: str, values: Any) -> list[sqlite3.Row]:  # noqa: ANN401 - sqlite3's
        with self._translated(), self._lock:
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise SinkError(f"the outbox {self.path} cannot be used: {error}") from error
