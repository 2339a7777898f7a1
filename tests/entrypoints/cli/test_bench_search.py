"""``facecv bench search`` on small collections: every way to search finds the right persons."""

from collections.abc import Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from facecv.adapters.galleries.sqlite import SqliteGallery
from facecv.core.arrays import Floats
from facecv.core.embedding import Embedding
from facecv.core.gallery import Counts, Match, SearchQuery
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.entrypoints.cli import search_gallery
from facecv.entrypoints.cli.search_faces import MadeFaces, nearest_persons
from facecv.entrypoints.cli.search_gallery import _store as store
from facecv.entrypoints.cli.search_gallery import fill, measure_gallery
from facecv.entrypoints.cli.search_timing import Probes, recall, timed
from tests.entrypoints.cli.runner import Cli

_SEARCH = SqliteGallery.search


def test_the_gallery_and_numpy_find_everybody(cli: Cli) -> None:
    found = cli.json("bench", "search", "--faces", 300, "--probes", 10, "--rival", "numpy")
    assert [way["way"] for way in found] == ["facecv", "numpy"]
    assert [way["recall_at_10"] for way in found] == [1, 1]
    for way in found:
        runs = [(run["probes"], run["callers"]) for run in way["runs"]]
        assert runs == [("enrolled", 1), ("enrolled", 8), ("strangers", 1)]
        for run in way["runs"]:
            assert run["recall_at_1"] == 1
            assert 0 < run["p50_ms"] <= run["p95_ms"] <= run["p99_ms"]
    assert found[0]["restart_seconds"] > 0
    assert found[0]["first_ms"] > 0
    assert found[0]["filtered_ms"] > 0


def test_people_get_a_table_and_a_picture(cli: Cli) -> None:
    pytest.importorskip("matplotlib")
    command = ("bench", "search", "--faces", 100, "--probes", 10, "--rival", "none")
    result = cli(*command, "--plot", "out/search.png", "--folder", "kept")
    assert result.exit_code == 0
    assert "recall@10" in result.stdout
    assert Path("out/search.png").read_bytes().startswith(b"\x89PNG")
    assert Path("kept/gallery.db").is_file()


def test_a_second_run_searches_what_the_first_has_stored(cli: Cli) -> None:
    command = ("bench", "search", "--probes", 10, "--rival", "none", "--folder", "kept")
    [first], [again] = (cli.json(*command, "--faces", 100) for _ in range(2))
    assert again["enrol_seconds"] == first["enrol_seconds"]
    assert again["build_seconds"] == first["build_seconds"]
    assert again["recall_at_10"] == 1
    assert cli(*command, "--faces", 200).exit_code == 3


def test_only_the_gallery_is_kept(cli: Cli) -> None:
    """Not the vectors of the rivals, which are as large, and made again in no time."""
    command = ("bench", "search", "--faces", 100, "--probes", 10, "--rival", "numpy")
    cli.json(*command, "--folder", "kept")
    assert Path("kept/gallery.db").is_file()
    assert not list(Path("kept").glob("*.npy"))


def test_a_run_that_was_stopped_goes_on(tmp_path: Path) -> None:
    made, path = MadeFaces(20_000, faces_a_person=2, dim=16), tmp_path / "gallery.db"
    stored: list[range] = []

    def stopped(gallery: GalleryRepo, persons: range, vectors: Floats) -> float:
        if len(stored) == 2:
            raise KeyboardInterrupt
        stored.append(persons)
        return store(gallery, persons, vectors)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_gallery, "_store", stopped)
        with pytest.raises(KeyboardInterrupt):
            fill(path, made)
    filled = fill(path, made)
    assert (filled.persons, filled.made) == (10_000, made)
    with closing(SqliteGallery(path)) as gallery:
        assert gallery.count("all") == Counts(10_000, 20_000)


@pytest.mark.skipif(find_spec("faiss") is None, reason="faiss is not installed")
def test_times_are_compared_with_those_of_faiss(cli: Cli) -> None:
    command = ("bench", "search", "--faces", 100, "--probes", 10, "--rival", "faiss-flat")
    ours, flat = cli.json(*command)
    for mine, other in zip(ours["runs"], flat["runs"], strict=True):
        assert mine["p50_of_faiss_flat"] == mine["p50_ms"] / other["p50_ms"]
        assert other["p50_of_faiss_flat"] == 1


def test_what_cannot_be_drawn_is_said_before_the_work(cli: Cli) -> None:
    pytest.importorskip("matplotlib")
    assert cli("bench", "search", "--plot", "search.doc").exit_code == 3


class TestMadeFaces:
    made = MadeFaces(20_001, faces_a_person=3, dim=256)

    def test_a_person_is_alike_and_strangers_are_not(self) -> None:
        persons, vectors = next(iter(self.made.parts()))
        assert vectors.shape == (len(persons), 3, 256)
        assert np.allclose(np.linalg.norm(vectors, axis=2), 1, atol=1e-5)
        alike = (vectors[:, 0] * vectors[:, 1]).sum(axis=1)
        strange = (vectors[1:, 0] * vectors[:-1, 1]).sum(axis=1)
        assert alike.mean() == pytest.approx(0.6, abs=0.05)
        assert strange.mean() == pytest.approx(0, abs=0.05)

    def test_all_faces_come_once(self) -> None:
        assert sum(len(persons) for persons, _ in self.made.parts()) == self.made.persons == 6667

    def test_probes_are_new_faces_of_their_persons(self) -> None:
        who, probes = self.made.probes(50)
        nearest = nearest_persons(self.made, probes, 3)
        assert (nearest[:, 0] == who).mean() > 0.9

    def test_strangers_are_like_nobody(self) -> None:
        strangers = self.made.strangers(20)
        (_, first), *_ = self.made.parts()
        assert np.abs(strangers @ first.reshape(-1, 256).T).max() < 0.5
        assert np.allclose(np.linalg.norm(strangers, axis=1), 1, atol=1e-5)


def test_recall_is_the_share_of_the_right_ones() -> None:
    assert recall([[1, 2], [5, 4]], [[1, 2], [4, 9]], 1) == 0.5
    assert recall([[1, 2], [5, 4]], [[1, 2], [4, 9]], 2) == 0.75


def test_callers_share_the_probes() -> None:
    numbers = np.arange(20, dtype=np.float32)[:, None]
    probes = Probes(numbers, numbers[:5], numbers[:8])
    runs = timed(lambda probe: [int(probe[0])], probes, (1, 4))
    assert [(run.whose, run.callers) for run in runs] == [
        ("enrolled", 1),
        ("enrolled", 4),
        ("strangers", 1),
    ]
    assert runs[1].found == tuple((number,) for number in range(20))
    assert len(runs[2].found) == 5


def test_no_probe_was_searched_for_before_it_is_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, path = MadeFaces(200, dim=16), tmp_path / "gallery.db"
    faces = made.probes(200)[1]
    probes = Probes(faces[:20], made.strangers(20), faces[20:])
    searched: list[bytes] = []

    def search(
        gallery: SqliteGallery, name: str, given: Sequence[Embedding], query: SearchQuery
    ) -> list[list[Match]]:
        searched.extend(probe.vector.tobytes() for probe in given)
        return _SEARCH(gallery, name, given, query)

    filled = fill(path, made)
    monkeypatch.setattr(SqliteGallery, "search", search)
    measure_gallery(path, filled, probes, 5, (1,))
    timed_ones = [face.tobytes() for face in probes.enrolled]
    start = searched.index(timed_ones[0])
    assert set(searched[:start]) == {face.tobytes() for face in probes.others}
    assert searched[start : start + 20] == timed_ones
