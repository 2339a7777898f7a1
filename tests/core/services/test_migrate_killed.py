"""A migration of many faces, killed again and again, while others search.

FACECV_MIGRATION_FACES=10000 says how many faces; fewer show the same in a fifth of the time.
"""

import multiprocessing
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import numpy as np
import pytest

from facecv.adapters.galleries.sqlite import SqliteGallery
from facecv.core.arrays import Pixels
from facecv.core.errors import CollectionNotFoundError
from facecv.core.gallery import Counts, SearchQuery
from facecv.core.services.analyse import Analyser
from facecv.core.services.follow import following
from facecv.core.services.migrate import MigrateOptions, Migrator, staging_name
from tests.core.services.migrating import NEW, OLD, analyser, crop, embedded, fill, record

FACES, KILLS = int(os.environ.get("FACECV_MIGRATION_FACES", "2000")), 5
OPTIONS = MigrateOptions(batch=64)


def migrate(path: Path) -> None:
    """Migrate the team of a gallery file; the work of a process that may be killed."""
    gallery = SqliteGallery(path)
    Migrator(analyser(), gallery).migrate("team", "new", OPTIONS)
    gallery.close()


@attrs.define
class Searcher:
    """Asks for persons all the time, with whatever model the collection has."""

    path: Path
    answers: int = 0
    errors: list[Exception] = attrs.field(factory=list)
    over: threading.Event = attrs.field(factory=threading.Event)

    def run(self) -> None:
        gallery, looking = SqliteGallery(self.path), analyser()
        while not self.over.is_set():
            number = random.randrange(FACES)
            try:
                assert self._ask(gallery, looking, number) == f"f{number:06}"
            except Exception as error:  # noqa: BLE001 - whatever it is, the test fails
                self.errors.append(error)
            self.answers += 1
            time.sleep(0.01)  # leave some of the machine to the others
        gallery.close()

    @staticmethod
    def _ask(gallery: SqliteGallery, looking: Analyser, number: int) -> str:
        pixels: Pixels = crop(number)[None]

        def search(held: Analyser) -> str:
            ((match,),) = gallery.search("team", held.embed_crops(pixels), SearchQuery(top_k=1))
            assert match.similarity == pytest.approx(1, abs=1e-4)
            return match.face_id

        return following("team", looking, gallery, search)


@contextmanager
def searching(path: Path) -> Iterator[Searcher]:
    """Search in a thread until the block ends."""
    searcher = Searcher(path)
    thread = threading.Thread(target=searcher.run)
    thread.start()
    try:
        yield searcher
    finally:
        searcher.over.set()
        thread.join()


def done(gallery: SqliteGallery) -> int:
    """Return how many faces are embedded anew."""
    try:
        return gallery.count(staging_name("team")).faces
    except CollectionNotFoundError:
        return 0


@pytest.mark.timeout(1200)
def test_killed_five_times_it_ends_with_every_face_embedded_anew(tmp_path: Path) -> None:
    path = tmp_path / "gallery.db"
    gallery = SqliteGallery(path)
    fill(gallery, [record(number) for number in range(FACES)])
    marks = sorted(random.Random(5).sample(range(1, FACES * 9 // 10), KILLS))
    spawn = multiprocessing.get_context("spawn")
    answers = []
    with searching(path) as searcher:
        for mark in marks:
            process = spawn.Process(target=migrate, args=(path,))
            process.start()
            while process.is_alive() and done(gallery) < mark:
                time.sleep(0.02)
            process.kill()
            process.join()
            assert process.exitcode == -9
            assert mark <= done(gallery) < FACES
            assert gallery.collection("team").space == OLD.space
            answers.append(searcher.answers)
        process = spawn.Process(target=migrate, args=(path,))
        process.start()
        process.join()
        assert process.exitcode == 0
        at_the_end = searcher.answers
        while searcher.answers < at_the_end + 10 and not searcher.errors:
            time.sleep(0.02)
    assert searcher.errors == []
    assert answers == sorted(set(answers))
    assert answers[0] > 0
    check(gallery)
    gallery.close()


def check(gallery: SqliteGallery) -> None:
    """Check that each face is there once, in the new space, as its crop has it."""
    assert [each.name for each in gallery.collections()] == ["team"]
    assert gallery.collection("team").space == NEW.space
    assert gallery.count("team") == Counts(FACES // 5, FACES)
    found = list(gallery.faces("team"))
    assert [face.id for _, face in found] == [f"f{number:06}" for number in range(FACES)]
    assert [person for person, _ in found] == [f"p{number // 5 * 5:06}" for number in range(FACES)]
    for number, (_, face) in enumerate(found[::97]):
        assert face.embedding.space == NEW.space
        wanted = embedded(NEW, crop(number * 97)).vector
        np.testing.assert_allclose(face.embedding.vector, wanted, atol=1e-6)
