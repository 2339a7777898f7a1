"""Time galleries: ``python -m tests.benchmarks.bench_galleries [--faces 100000]``.

Prints, for each gallery, the seconds to enrol (all at once; a tenth of it also person by person),
to search first (an SQLite gallery reads its vectors then), and the median milliseconds of later
searches. Then how long enrolling 10,000 faces takes, of one person and of as many, as a multiple of
what ``executemany`` takes for the same rows into the same tables (both durable, in turns);
``--faces 0`` prints this alone.
"""

import argparse
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from facecv.adapters.galleries.memory import MemoryGallery
from facecv.adapters.galleries.sqlite import SqliteGallery
from facecv.core.embedding import Embedding, EmbeddingSpace, normalized
from facecv.core.gallery import Collection, FaceRecord, NewPerson, Person, SearchQuery
from facecv.core.paired import overhead
from facecv.core.ports.gallery_repo import GalleryRepo

_TABLES = ("persons", "facts", "faces")
SPACE = EmbeddingSpace("benchmark", 512, "0" * 64, "none")


def people(count: int, seed: int) -> Iterable[NewPerson]:
    """Yield persons with a face each; every hundredth is of the group ``rare``."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        vector = normalized(rng.normal(size=(1, SPACE.dim)).astype(np.float32))[0][0]
        group = "many" if number % 100 else "rare"
        yield Person(f"Person {number}", metadata={"group": group}), [FaceRecord(_embed(vector))]


def _embed(vector: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Embedding:
    return Embedding(vector, SPACE)


def seconds(action: Callable[[], object]) -> float:
    """Return how long an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def enrol(gallery: GalleryRepo, persons: Iterable[NewPerson]) -> None:
    """Add persons one by one, each durable at once."""
    for person, faces in persons:
        gallery.add_person("all", person, faces)


def median_search(gallery: GalleryRepo, probes: list[Embedding], query: SearchQuery) -> float:
    """Return the median milliseconds of a search for `probes`."""
    times = [seconds(lambda: gallery.search("all", probes, query)) for _ in range(20)]
    return statistics.median(times) * 1000


def measure(gallery: GalleryRepo, faces: int) -> None:
    """Print the figures of one gallery."""
    gallery.create_collection(Collection("all", SPACE))
    many, few = list(people(faces, 0)), list(people(faces // 10, 1))
    probes = [records[0].embedding for _, records in few[:16]]
    together = seconds(lambda: gallery.add_persons("all", many))
    singly = seconds(lambda: enrol(gallery, few))
    first = seconds(lambda: gallery.search("all", probes[:1], SearchQuery()))
    rare = SearchQuery(where={"group": "rare"})
    figures = {
        f"enrol {len(many)} together": f"{together:.1f} s",
        f"enrol {len(few)} singly": f"{singly:.1f} s",
        "first search": f"{first:.2f} s",
        "search, 1 probe": f"{median_search(gallery, probes[:1], SearchQuery()):.1f} ms",
        "search, 16 probes": f"{median_search(gallery, probes, SearchQuery()):.1f} ms",
        "search, 1 % of persons": f"{median_search(gallery, probes[:1], rare):.1f} ms",
    }
    for name, figure in figures.items():
        print(f"{type(gallery).__name__:15} {name:28} {figure:>10}")  # noqa: T201


def enrolment_overhead(folder: Path, persons: int, each: int, rounds: int) -> float:
    """Return by what share enrolling takes longer than ``executemany``, the median of rounds."""
    rng = np.random.default_rng(2)
    vectors = normalized(rng.normal(size=(persons * each, SPACE.dim)).astype(np.float32))[0]
    ours, plain = [], []
    for number in range(rounds):
        path = folder / f"{persons}-{number}.db"
        gallery = SqliteGallery(path)
        gallery.create_collection(Collection("all", SPACE))
        records = iter([FaceRecord(_embed(vector)) for vector in vectors])
        everybody = [
            (Person(f"Person {n}", metadata={"group": n % 9}), list(islice(records, each)))
            for n in range(persons)
        ]
        ours.append(seconds(partial(gallery.add_persons, "all", everybody)))
        gallery.close()
        plain.append(_executemany_seconds(path))
        path.unlink()
    return overhead(plain, ours)


def _executemany_seconds(path: Path) -> float:
    """Return how long it takes to store the rows of a gallery once more, into an empty one."""
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        rows = {name: conn.execute(f"SELECT * FROM {name}").fetchall() for name in _TABLES}  # noqa: S608 - ours
        for name in (*reversed(_TABLES), "removals"):
            conn.execute(f"DELETE FROM {name}")  # noqa: S608 - ours
        conn.execute("VACUUM")
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # its log has to grow, too
        conn.execute("PRAGMA foreign_keys = ON")
        conn.execute("PRAGMA synchronous = FULL")

        def store() -> None:
            conn.execute("BEGIN IMMEDIATE")
            for name, some in rows.items():
                marks = ", ".join("?" * len(some[0]))
                conn.executemany(f"INSERT INTO {name} VALUES ({marks})", some)  # noqa: S608 - ours
            conn.execute("COMMIT")

        return seconds(store)


def main() -> None:
    """Measure both galleries."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=100_000)
    faces = parser.parse_args().faces
    with tempfile.TemporaryDirectory() as folder:
        if faces:
            measure(MemoryGallery(), faces)
            gallery = SqliteGallery(Path(folder) / "gallery.db")
            measure(gallery, faces)
            gallery.close()
        for persons, each in ((1, 10_000), (10_000, 1)):
            more = enrolment_overhead(Path(folder), persons, each, 7)
            print(f"enrol {each} faces of {persons} persons: {1 + more:.2f} x executemany")  # noqa: T201


if __name__ == "__main__":
    main()
