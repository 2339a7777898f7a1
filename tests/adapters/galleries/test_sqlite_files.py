"""What becomes of gallery files: kept, migrated, refused."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sqlite_utils import Database

from facecv.adapters.galleries.sqlite import SqliteGallery, schema
from facecv.adapters.galleries.sqlite.rows import as_vectors
from facecv.core.arrays import Floats
from facecv.core.errors import GalleryError, GallerySchemaError
from facecv.core.gallery import Collection, Counts, Person, SearchQuery
from facecv.plugins.contracts.gallery.examples import SPACE, TEAM, embedding, enrol, face


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "gallery.db"


@pytest.fixture
def gallery(path: Path) -> Iterator[SqliteGallery]:
    gallery = SqliteGallery(path)
    yield gallery
    gallery.close()


def execute(path: Path, *statements: str) -> None:
    """Change a file behind the gallery's back."""
    with closing(sqlite3.connect(path)) as conn:
        for statement in statements:
            conn.execute(statement)
        conn.commit()


class TestKept:
    """What was stored is there for the next to open the file."""

    def test_everything_is_there_after_reopening(self, gallery: SqliteGallery, path: Path) -> None:
        crop = np.random.default_rng(0).integers(0, 256, (112, 112, 3), np.uint8)
        gallery.create_collection(Collection("team", SPACE, threshold=0.4, store_crops=True))
        enrol(gallery, "ann", face(1, 2, id="f", crop=crop), metadata={"a": None})
        before = list(gallery.persons("team"))
        gallery.close()
        with closing(SqliteGallery(path)) as again:
            assert again.collection("team").threshold == 0.4
            assert again.persons("team") == before
            [(owner, found)] = again.faces("team")
            assert (owner, found.id) == ("ann", "f")
            assert found.embedding == embedding(1, 2)
            assert np.array_equal(found.crop, crop)  # type: ignore[arg-type]
            [[match]] = again.search("team", [embedding(1, 2)], SearchQuery())
            assert (match.person.id, match.similarity) == ("ann", 1.0)

    def test_changes_of_another_gallery_object_are_seen(
        self, gallery: SqliteGallery, path: Path
    ) -> None:
        gallery.create_collection(TEAM)
        query = SearchQuery(top_k=9)
        with closing(SqliteGallery(path)) as other:
            for number in range(5):
                enrol(other, f"{number}", face(1, number, id=f"f{number}"))
                assert len(gallery.search("team", [embedding(1)], query)[0]) == number + 1
            other.delete_face("team", "f0")
            other.delete_person("team", "1")
            other.update_person("team", Person("Two", id="2"))
            [found] = gallery.search("team", [embedding(1)], query)
            assert [match.person.name for match in found] == ["Two", "3", "4"]
            other.delete_collection("team")
            other.create_collection(TEAM)
            enrol(other, "new", face(0, 1))
            [[match]] = gallery.search("team", [embedding(0, 1)], query)
            assert match.person.id == "new"

    def test_one_added_face_does_not_read_the_others_again(
        self, gallery: SqliteGallery, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gallery.create_collection(TEAM)
        enrol(gallery, "ann", *(face(1, number) for number in range(50)))
        gallery.search("team", [embedding(1)], SearchQuery())
        decoded: list[int] = []

        def counting(blobs: list[bytes], dim: int) -> Floats:
            decoded.append(len(blobs))
            return as_vectors(blobs, dim)

        target = "facecv.adapters.galleries.sqlite.rows.as_vectors"
        monkeypatch.setattr(target, counting)
        enrol(gallery, "bob", face(0, 1))
        gallery.search("team", [embedding(1)], SearchQuery())
        gallery.search("team", [embedding(1)], SearchQuery())
        assert decoded == [1]

    def test_a_transaction_does_not_leak_into_the_projection(self, gallery: SqliteGallery) -> None:
        gallery.create_collection(TEAM)
        query = SearchQuery(threshold=0.9)
        for number in range(3):  # keys of undone faces are given out again
            with pytest.raises(RuntimeError), gallery.transaction():
                _enrol_search_and_fail(gallery, number)
            enrol(gallery, f"kept{number}", face(0, number + 1, 1))
            assert gallery.search("team", [embedding(1)], query) == [[]]
        assert len(gallery.search("team", [embedding(0, 1, 1)], SearchQuery())[0]) == 3

    def test_vectors_are_little_endian_float32(self, gallery: SqliteGallery, path: Path) -> None:
        gallery.create_collection(TEAM)
        enrol(gallery, "ann", face(0, 1))
        with closing(sqlite3.connect(path)) as conn:
            [(blob,)] = conn.execute("SELECT vector FROM faces").fetchall()
        assert blob == bytes(4) + b"\x00\x00\x80\x3f" + bytes(24)

    def test_the_file_is_in_write_ahead_mode(self, gallery: SqliteGallery, path: Path) -> None:
        gallery.collections()
        with closing(sqlite3.connect(path)) as conn:
            assert conn.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)


class TestMigrated:
    """Older files become current ones, by one program at a time, whole or not at all."""

    def test_a_missing_step_is_applied_and_data_stays(
        self, gallery: SqliteGallery, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gallery.create_collection(TEAM)
        gallery.close()
        steps = (*schema.MIGRATIONS, lambda db: db.table("persons").add_column("note", str))
        monkeypatch.setattr(schema, "MIGRATIONS", steps)
        with closing(SqliteGallery(path)) as migrated:
            assert migrated.collections() == [TEAM]
            enrol(migrated, "ann", face(1))
        with closing(sqlite3.connect(path)) as conn:
            assert conn.execute("PRAGMA user_version").fetchone() == (len(steps),)
            assert conn.execute("SELECT note FROM persons").fetchall() == [(None,)]

    def test_a_step_that_fails_changes_nothing(
        self, gallery: SqliteGallery, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gallery.create_collection(TEAM)
        gallery.close()
        current = schema.MIGRATIONS
        monkeypatch.setattr(schema, "MIGRATIONS", (*current, _half_a_step))
        with pytest.raises(GalleryError, match="no such table"):
            SqliteGallery(path)
        monkeypatch.setattr(schema, "MIGRATIONS", current)
        with closing(SqliteGallery(path)) as again:
            assert again.collections() == [TEAM]
        with closing(sqlite3.connect(path)) as conn:
            names = {name for (name,) in conn.execute("SELECT name FROM sqlite_master")}
        assert "half" not in names


def _not_a_database(path: Path) -> None:
    path.write_bytes(b"this is a text file, not a database" * 100)


def _another_programs_file(path: Path) -> None:
    execute(path, "CREATE TABLE notes (text)")


def _another_programs_empty_file(path: Path) -> None:
    execute(path, "PRAGMA user_version = 7")


def _newer(path: Path) -> None:
    SqliteGallery(path).close()
    execute(path, "PRAGMA user_version = 99")


def _folder(path: Path) -> None:
    path.mkdir()


def _file_as_folder(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("a file where the folder should be")


def _cut_short(path: Path) -> None:
    with closing(SqliteGallery(path)) as gallery:
        gallery.create_collection(TEAM)
    content = path.read_bytes()
    path.write_bytes(content[:1000] + bytes(5000))


class TestRefused:
    """What is not a gallery is left alone, and the error says why."""

    @pytest.mark.parametrize(
        ("spoil", "reason"),
        [
            (_not_a_database, "not a database"),
            (_another_programs_file, "not a gallery"),
            (_another_programs_empty_file, "not a gallery"),
            (_newer, "version 99"),
            (_folder, "cannot be opened"),
            (_file_as_folder, "cannot be used"),
            (_cut_short, "cannot be used"),
        ],
    )
    def test_what_is_not_a_gallery(
        self, path: Path, spoil: Callable[[Path], None], reason: str
    ) -> None:
        path.parent.mkdir()
        spoil(path)
        before = path.read_bytes() if path.is_file() else b""
        with pytest.raises(GallerySchemaError, match=reason) as caught:
            SqliteGallery(path)
        assert caught.value.hint
        assert (path.read_bytes() if path.is_file() else b"") == before

    def test_a_damaged_vector(self, gallery: SqliteGallery, path: Path) -> None:
        gallery.create_collection(TEAM)
        enrol(gallery, "ann", face(1))
        execute(path, "UPDATE faces SET vector = x'00'")
        with pytest.raises(GallerySchemaError, match="8 numbers"):
            gallery.search("team", [embedding(1)], SearchQuery())

    def test_a_closed_gallery_says_so(self, gallery: SqliteGallery) -> None:
        gallery.close()
        with pytest.raises(GalleryError, match="closed"):
            gallery.collections()

    def test_waiting_for_another_writer_ends(self, gallery: SqliteGallery, path: Path) -> None:
        with (
            closing(SqliteGallery(path, busy_timeout=0.05)) as hasty,
            gallery.transaction(),
            pytest.raises(GalleryError, match="in use"),
        ):
            hasty.create_collection(TEAM)
        gallery.create_collection(TEAM)
        assert gallery.count("team") == Counts(0, 0)


def _enrol_search_and_fail(gallery: SqliteGallery, number: int) -> None:
    enrol(gallery, f"undone{number}", face(1))
    assert len(gallery.search("team", [embedding(1)], SearchQuery(threshold=0.9))[0]) == 1
    raise RuntimeError


def _half_a_step(db: Database) -> None:
    db.execute("CREATE TABLE half (x)")
    db.execute("ALTER TABLE missing ADD COLUMN x")
