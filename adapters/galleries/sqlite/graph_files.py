"""Graphs on the disk: files beside the gallery, of which its tables say which one is current.

Each file has a name of its own and is never changed. The row that names it also has its digest and
the highest key of a face in it, and comes and goes with the collection in the transactions of the
gallery: a file that was not made from this very gallery is never looked at, and a damaged one is
not used. All of them may be deleted at any time.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import attrs
import structlog
from filelock import FileLock, Timeout
from sqlite_utils import Database

from facecv.adapters.galleries.graph import Graph
from facecv.core.errors import GalleryError
from facecv.core.gallery import new_id


@attrs.frozen
class GraphRow:
    """What the gallery says about the graph of a collection.

    Attributes:
        file: its name; empty if there is none.
        digest: SHA-256 of the file.
        last_face: the highest key of a face in it.
    """

    file: str = ""
    digest: str = ""
    last_face: int = 0


def graph_row(db: Database, collection: int) -> GraphRow:
    """Return the row of a collection's graph."""
    select = "SELECT file, digest, last_face FROM graphs WHERE collection = ?"
    found = db.execute(select, [collection]).fetchone()
    return GraphRow(*found) if found else GraphRow()


def set_graph_row(db: Database, collection: int, row: GraphRow) -> bool:
    """Make a graph the current one; return False if the collection is gone."""
    values = [collection, *attrs.astuple(row)]
    try:
        db.conn.execute("INSERT OR REPLACE INTO graphs VALUES (?, ?, ?, ?)", values)
    except sqlite3.IntegrityError:
        return False
    return True


class GraphFiles:
    """The folder of a gallery's graphs."""

    def __init__(self, gallery: Path) -> None:
        self._folder = gallery.with_name(f"{gallery.name}.graphs")

    def opened(self, row: GraphRow, dim: int) -> Graph | None:
        """Return the graph of a row, mapped from its file; None if there is none to be trusted."""
        return self._read(row, partial(Graph.opened, dim=dim))

    def loaded(self, row: GraphRow, dim: int) -> Graph | None:
        """Return a copy in memory of the graph of a row; None if there is none to be trusted."""
        return self._read(row, partial(Graph.loaded, dim=dim))

    def _read(self, row: GraphRow, read: Callable[[Path], Graph]) -> Graph | None:
        path = self._folder / row.file
        try:
            if row.file and _digest(path) == row.digest:
                return read(path)
        except (OSError, RuntimeError, ValueError) as error:
            structlog.get_logger().info("graph_unusable", file=str(path), error=str(error))
        return None

    def written(self, collection: int, graph: Graph, last_face: int) -> GraphRow:
        """Write a graph to a new file.

        Raises:
            GalleryError: it cannot be written.
        """
        path = self._folder / f"{collection}-{new_id()}.usearch"
        beside = path.with_suffix(".part")
        try:
            graph.save(beside)
            digest = _digest(beside)
            beside.replace(path)
        except (OSError, RuntimeError) as error:
            with suppress(OSError):
                beside.unlink()
            raise GalleryError(f"{path} cannot be written: {error}") from error
        return GraphRow(path.name, digest, last_face)

    def remove_others(self, collection: int, current: str = "") -> None:
        """Delete a collection's files, except the current one; who has them mapped keeps them."""
        for path in self._folder.glob(f"{collection}-*"):
            if path.name != current:
                with suppress(OSError):
                    path.unlink()

    def remove_all(self) -> None:
        """Delete the folder's files."""
        for path in self._folder.glob("*"):
            with suppress(OSError):
                path.unlink()

    @contextmanager
    def writing(self, collection: int, *, wait: bool) -> Iterator[bool]:
        """Lend the right to write graphs of a collection, of one process at a time.

        Args:
            collection: its key.
            wait: whether to wait for another process; otherwise the block may be told False.
        """
        try:
            self._folder.mkdir(exist_ok=True)
            lock = FileLock(self._folder / f"{collection}.lock", timeout=-1 if wait else 0)
            lock.acquire()
        except Timeout:
            yield False
            return
        except OSError as error:
            raise GalleryError(f"{self._folder} cannot be written: {error}") from error
        try:
            yield True
        finally:
            lock.release()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
