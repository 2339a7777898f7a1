"""Graphs of galleries in SQLite: kept beside the file, shared, made anew, never trusted blindly."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from facecv.adapters.galleries.graph import Graph
from facecv.adapters.galleries.sqlite import SqliteGallery
from facecv.adapters.galleries.sqlite.graph_files import GraphFiles
from facecv.adapters.galleries.sqlite.rows import open_vectors
from facecv.adapters.galleries.sqlite.seal import Seal
from facecv.core.arrays import Floats
from facecv.core.gallery import SearchQuery
from facecv.plugins.contracts.gallery.examples import TEAM, embedding, enrol, face, ids

EVERYONE = SearchQuery(top_k=99)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gallery.db"


@pytest.fixture
def gallery(path: Path) -> Iterator[SqliteGallery]:
    """Return a gallery whose faces are all in a graph."""
    gallery = SqliteGallery(path, graph_from=0)
    gallery.create_collection(TEAM)
    for number in range(30):
        enrol(gallery, f"{number:02}", face(1, number), metadata={"odd": number % 2})
    gallery.prepare("team")
    yield gallery
    gallery.close()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that tells how many vectors are read from the tables at once from now on."""
    counts: list[int] = []

    def counting(faces: Sequence[tuple[str, bytes]], dim: int, seal: Seal) -> Floats:
        counts.append(len(faces))
        return open_vectors(faces, dim, seal)

    target = "facecv.adapters.galleries.sqlite.projection.open_vectors"
    monkeypatch.setattr(target, counting)
    return counts


def graphs(path: Path) -> list[Path]:
    return list(path.parent.rglob("*.usearch"))


def everyone(gallery: SqliteGallery) -> list[str]:
    """Return whom a search finds, nearest first."""
    return ids(gallery.search("team", [embedding(1)], EVERYONE)[0])


ALL = [f"{number:02}" for number in range(30)]


@pytest.mark.usefixtures("gallery")
def test_a_restart_reads_the_graph_and_not_the_vectors(path: Path, read: list[int]) -> None:
    with closing(SqliteGallery(path)) as again:
        assert everyone(again) == ALL
        enrol(again, "new", face(1, 0.5))
        assert everyone(again) == ["00", "new", *ALL[1:]]
    assert read == [1]


def test_another_process_takes_over_what_one_has_built(
    gallery: SqliteGallery, path: Path, read: list[int]
) -> None:
    with closing(SqliteGallery(path)) as other:
        assert everyone(other) == ALL
        enrol(gallery, "new", face(1, 0.5), face(1, 0.6))
        gallery.prepare("team")
        read.clear()
        assert everyone(other) == ["00", "new", *ALL[1:]]
        other.delete_person("team", "new")
        assert everyone(gallery) == everyone(other) == ALL
    assert read == []
    assert len(graphs(path)) == 1


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))


def _empty(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize("spoil", [_cut, _flip, _empty, Path.unlink])
def test_a_graph_that_cannot_be_trusted_is_made_anew(
    gallery: SqliteGallery, path: Path, spoil: Callable[[Path], None]
) -> None:
    gallery.close()
    [file] = graphs(path)
    spoil(file)
    with closing(SqliteGallery(path, graph_from=0)) as again:
        assert everyone(again) == ALL
        again.prepare("team")
        [made] = graphs(path)
        assert made.name != file.name
        assert everyone(again) == ALL


def test_a_copy_of_an_older_state_finds_its_own_graph_or_none(
    gallery: SqliteGallery, path: Path, tmp_path: Path
) -> None:
    older = tmp_path / "older.db"
    with closing(sqlite3.connect(path)) as one, closing(sqlite3.connect(older)) as two:
        one.backup(two)
    with closing(SqliteGallery(older, graph_from=0)) as copy:
        copy.delete_person("team", "05")
        enrol(copy, "else", face(1, 5))
        assert everyone(copy) == ["else" if name == "05" else name for name in ALL]
    assert everyone(gallery) == ALL


def test_a_graph_of_which_most_is_gone_is_made_anew(gallery: SqliteGallery, path: Path) -> None:
    for name in ALL[:20]:
        gallery.delete_person("team", name)
    assert everyone(gallery) == ALL[20:]
    gallery.prepare("team")
    assert everyone(gallery) == ALL[20:]
    [file] = graphs(path)
    assert len(Graph.loaded(file, TEAM.space.dim)) == 10


def test_a_deleted_collection_leaves_no_graph(gallery: SqliteGallery, path: Path) -> None:
    gallery.delete_collection("team")
    assert graphs(path) == []


def test_a_filter_counts_inside_the_graph(gallery: SqliteGallery) -> None:
    [found] = gallery.search("team", [embedding(1)], SearchQuery(top_k=3, where={"odd": 1}))
    assert ids(found) == ["01", "03", "05"]


def test_a_filter_that_lets_many_through_counts_too(
    gallery: SqliteGallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facecv.adapters.galleries.sqlite.search._FEW_PERSONS", 3)
    enrol(gallery, "new", face(1, 0.5), metadata={"odd": 1})
    [found] = gallery.search("team", [embedding(1)], SearchQuery(top_k=3, where={"odd": 1}))
    assert ids(found) == ["new", "01", "03"]


def test_a_person_with_very_many_faces_takes_one_place(gallery: SqliteGallery) -> None:
    enrol(gallery, "many", *(face(1, number / 1e4) for number in range(500)))
    gallery.prepare("team")
    [found] = gallery.search("team", [embedding(1)], SearchQuery(top_k=3))
    assert ids(found) == ["00", "many", "01"]


def test_a_search_has_the_graph_made_beside_it(path: Path) -> None:
    with closing(SqliteGallery(path, graph_from=10)) as gallery:
        gallery.create_collection(TEAM)
        enrol(gallery, "ann", *(face(1, number) for number in range(11)))
        gallery.search("team", [embedding(1)], SearchQuery())
        for thread in list(gallery._upkeep._running.values()):
            thread.join()
        assert len(graphs(path)) == 1
        assert len(gallery.search("team", [embedding(1)], SearchQuery())[0]) == 1


def test_a_folder_that_cannot_be_written_stops_no_search(path: Path) -> None:
    path.with_name("gallery.db.graphs").write_text("a file where the folder should be")
    with closing(SqliteGallery(path, graph_from=0)) as gallery:
        gallery.create_collection(TEAM)
        enrol(gallery, "ann", face(1))
        for _ in range(2):
            assert ids(gallery.search("team", [embedding(1)], SearchQuery())[0]) == ["ann"]


@pytest.mark.usefixtures("gallery")
def test_who_missed_what_the_log_of_removals_no_longer_holds(path: Path) -> None:
    with closing(SqliteGallery(path, graph_from=10**9)) as late:
        GraphFiles(path).remove_all()
        assert everyone(late) == ALL
        with closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA foreign_keys = ON")
            other.execute("DELETE FROM persons WHERE id < '10'")
            other.execute("DELETE FROM removals WHERE key <= 5")
            other.commit()
        assert everyone(late) == ALL[10:]


def test_the_log_of_removals_ends_somewhere(gallery: SqliteGallery, path: Path) -> None:
    enrol(gallery, "many", *(face(1, 0, 1) for _ in range(10_050)))
    gallery.delete_person("team", "many")
    with closing(sqlite3.connect(path)) as conn:
        [(count,)] = conn.execute("SELECT count(*) FROM removals").fetchall()
    assert count == 10_000
    assert everyone(gallery) == ALL
