"""Both event stores keep the promises of the port."""

import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from facecv.adapters.events.memory_store import MemoryEventStore
from facecv.adapters.events.sqlite_store import SqliteEventStore
from facecv.adapters.galleries.sqlite import SqliteGallery
from facecv.core.errors import GalleryError
from facecv.core.ports.event_store import EventStore
from facecv.plugins.contracts.event_store import (
    EVERYTHING,
    NOON,
    EventStoreContract,
    event,
    full_event,
)


class TestMemory(EventStoreContract):
    @pytest.fixture
    def store(self) -> EventStore:
        return MemoryEventStore()


class TestSqlite(EventStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> EventStore:
        return SqliteEventStore(tmp_path / "gallery.db")

    def test_lives_in_the_file_of_a_gallery(self, tmp_path: Path) -> None:
        """Either may be opened again; neither disturbs the other."""
        path = tmp_path / "gallery.db"
        SqliteGallery(path).close()
        for count in range(2):
            store = SqliteEventStore(path)
            store.add([full_event()])
            assert len(store.page(EVERYTHING).events) == count + 1
            store.close()
            gallery = SqliteGallery(path)
            assert gallery.collections() == []
            gallery.close()

    def test_files_that_knew_only_when_events_happened_are_taken_over(self, tmp_path: Path) -> None:
        path = tmp_path / "gallery.db"
        store = SqliteEventStore(path)
        store.add([event(0)])
        store.close()
        with closing(sqlite3.connect(path)) as db:
            db.execute("ALTER TABLE stream_events DROP COLUMN added")
            db.commit()
        again = SqliteEventStore(path)
        again.add([event(1)])
        assert again.forget(NOON) == 0
        assert again.forget(NOON + timedelta(seconds=1)) == 1
        again.close()

    def test_two_programs_may_share_the_file(self, tmp_path: Path) -> None:
        stores = [SqliteEventStore(tmp_path / "e.db") for _ in range(2)]
        threads = [
            threading.Thread(target=lambda s=store: [s.add([event(n)]) for n in range(20)])
            for store in stores
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(stores[0].page(EVERYTHING).events) == 40

    def test_what_was_added_is_there_after_a_crash(self, tmp_path: Path) -> None:
        """Nobody closed the first store."""
        first = SqliteEventStore(tmp_path / "e.db")
        first.add([event(1)])
        assert len(SqliteEventStore(tmp_path / "e.db").page(EVERYTHING).events) == 1
        first.close()

    def test_faces_do_not_lie_in_the_clear_beside_an_encrypted_gallery(
        self, tmp_path: Path
    ) -> None:
        """Neither those that come nor those that were there before it was encrypted."""
        pytest.importorskip("cryptography")
        path = tmp_path / "gallery.db"
        SqliteGallery(path).close()
        before = SqliteEventStore(path)
        before.add([full_event()])
        SqliteGallery(path, key=bytes(range(32))).close()
        before.add([full_event()])
        before.close()
        after = SqliteEventStore(path)
        events = after.page(EVERYTHING).events
        assert [(event.crop, event.embedding) for event in events] == [(None, None)] * 2
        assert events[0].person == "Zoë"
        after.close()
        assert b"\xff\xd8jpeg" not in path.read_bytes()

    def test_all_or_none_are_added(self, tmp_path: Path) -> None:
        store = SqliteEventStore(tmp_path / "e.db")
        trigger = (
            "CREATE TRIGGER no BEFORE INSERT ON stream_events WHEN new.source = 'bad' "
            "BEGIN SELECT raise(ABORT, 'no'); END"
        )
        with sqlite3.connect(tmp_path / "e.db") as db:
            db.execute(trigger)
        db.close()
        with pytest.raises(GalleryError, match=r"e\.db"):
            store.add([event(1), event(2, source="bad")])
        assert store.page(EVERYTHING).events == ()

    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.db"
        path.write_bytes(b"no database" * 1000)
        with pytest.raises(GalleryError, match=r"notes\.db"):
            SqliteEventStore(path)
