"""Connections to one gallery file: any number of readers, one writer at a time."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from facecv.adapters.galleries.sqlite.schema import prepare
from facecv.core.errors import AlreadyExistsError, GalleryError, GallerySchemaError, InputError

_PAGE_BYTES = 8192  # three faces of 512 numbers a page; of SQLite's usual 4096 one takes it all


class Connections:
    """Lends connections to threads, and keeps a thread's transaction on one of them.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path, busy_timeout: float) -> None:
        self.path = path
        self._patience = busy_timeout
        self._idle: list[Database] = []
        self._inherited: list[Database] = []
        self._owner = os.getpid()
        self._closed = False
        self._lock = threading.Lock()
        self._writer = threading.Lock()
        self._mine = threading.local()
        self._prepare()

    @contextmanager
    def committed(self) -> Iterator[Database]:
        """Lend a connection that sees one committed state, fixed by its first query."""
        with translated(self.path), self._lent() as db, db.atomic():
            yield db

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """Lend a connection that sees one state, changes of this thread's transaction included."""
        mine = self._transaction
        if mine is None:
            with self.committed() as db:
                yield db
        else:
            with translated(self.path):
                yield mine

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """Lend the connection of a transaction, for queries of ours."""
        with translated(self.path), self.transaction() as db:
            yield db

    @contextmanager
    def transaction(self) -> Iterator[Database]:
        """Lend a connection whose changes are kept if the block ends well, or else undone.

        A block inside another keeps nothing by itself: the outermost one commits. What the block
        raises comes through as it is.
        """
        mine = self._transaction
        if mine is not None:
            with _savepoint(mine):
                yield mine
            return
        with self._writer, self._lent() as db:
            with translated(self.path):
                db.execute("BEGIN IMMEDIATE")
            self._mine.db = db
            try:
                yield db
                with translated(self.path):
                    db.execute("COMMIT")
            finally:
                self._mine.db = None

    @property
    def in_transaction(self) -> bool:
        """Whether this thread is inside `writing`."""
        return self._transaction is not None

    def compact(self) -> None:
        """Rewrite the file, so that nothing that was deleted or replaced is left in it."""
        with translated(self.path), self._lent() as db:
            db.execute("VACUUM")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close idle connections now, lent ones when they come back."""
        with self._lock:
            self._closed = True
            while self._idle:
                self._idle.pop().close()

    @property
    def _transaction(self) -> Database | None:
        mine: Database | None = getattr(self._mine, "db", None)
        return mine

    @contextmanager
    def _lent(self) -> Iterator[Database]:
        db = self._take()
        try:
            yield db
        finally:
            self._put_back(db)

    def _take(self) -> Database:
        with self._lock:
            if self._closed:
                raise GalleryError(f"the gallery {self.path} is closed")
            if self._owner != os.getpid():  # a forked process must not touch its parent's
                self._owner, self._inherited, self._idle = os.getpid(), self._idle, []
            if self._idle:
                return self._idle.pop()
        with translated(self.path):
            return self._open()

    def _put_back(self, db: Database) -> None:
        if db.conn.in_transaction:
            db.rollback()
        with self._lock:
            if not self._closed:
                self._idle.append(db)
                return
        db.close()

    def _open(self) -> Database:
        """Open a connection without implicit transactions, usable by one thread at a time."""
        conn = sqlite3.connect(
            self.path, timeout=self._patience, isolation_level=None, check_same_thread=False
        )
        try:
            db = Database(conn, execute_plugins=False)
            db.execute(f"PRAGMA page_size = {_PAGE_BYTES}")  # of a new file; others keep theirs
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("PRAGMA synchronous = FULL")
        except BaseException:
            conn.close()
            raise
        return db

    def _prepare(self) -> None:
        """Make sure that the file is a gallery, and keep the first connection."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(self.path, error) from error
        with translated(self.path):
            db = self._open()
            try:
                prepare(db, self.path, self._patience)
            except BaseException:
                db.close()
                raise
            self._idle.append(db)


@contextmanager
def _savepoint(db: Database) -> Iterator[None]:
    """Undo what the block changed if it fails; the name is one, so that statements are reused."""
    db.conn.execute("SAVEPOINT nested")
    try:
        yield
    except BaseException:
        if db.conn.in_transaction:
            db.conn.execute("ROLLBACK TO nested")
            db.conn.execute("RELEASE nested")
        raise
    db.conn.execute("RELEASE nested")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite raises into errors of the engine."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise AlreadyExistsError(f"{path}: {error}") from error
    except sqlite3.OperationalError as error:
        raise _operational(path, error) from error
    except sqlite3.DatabaseError as error:
        raise _unusable(path, error) from error
    except UnicodeEncodeError as error:
        raise InputError(f"{error.object!r} is not text that can be stored") from error


def _unusable(path: Path, error: Exception) -> GallerySchemaError:
    return GallerySchemaError(
        f"{path} cannot be used as a gallery: {error}",
        hint="give the path of another file, or restore this one from a copy",
    )


def _operational(path: Path, error: sqlite3.OperationalError) -> GalleryError:
    """Return our error for what may pass (busy, full) or may not (no such place)."""
    text = str(error)
    if "locked" in text or "busy" in text:
        return GalleryError(f"{path} is in use by another program", hint="try again later")
    if "unable to open" in text or "readonly" in text:
        return GallerySchemaError(
            f"{path} cannot be opened for writing: {text}",
            hint="give the path of a file in a folder that you may write to",
        )
    return GalleryError(f"{path}: {text}")
