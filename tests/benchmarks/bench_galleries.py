"""Time galleries: ``python -m tests.benchmarks.bench_galleries [--faces 100000]``.

Prints, for each gallery, the seconds to enrol (in one transaction; a tenth of it also person by
person), to search first (an SQLite gallery reads its vectors then), and the median milliseconds of
later searches. Then how long enrolling 10,000 faces of a person takes, as a multiple of what
``executemany`` takes for the same rows into the same tables (both durable, in turns).
"""

import argparse
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np

from facecv.adapters.galleries.memory import MemoryGallery
from facecv.adapters.galleries.sqlite import SqliteGallery
from facecv.core.embedding import Embedding, EmbeddingSpace, normalized
from facecv.core.gallery import Collection, FaceRecord, Person, SearchQuery
from facecv.core.paired import overhead
from facecv.core.ports.gallery_repo import GalleryRepo

SPACE = EmbeddingSpace("benchmark", 512, "0" * 64, "none")


def people(count: int, seed: int) -> Iterable[tuple[Person, list[FaceRecord]]]:
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


def enrol(gallery: GalleryRepo, persons: Iterable[tuple[Person, list[FaceRecord]]]) -> None:
    """Add persons, each durable at once unless in a transaction."""
    for person, faces in persons:
        gallery.add_person("all", person, faces)


def enrol_together(
    gallery: GalleryRepo, persons: Iterable[tuple[Person, list[FaceRecord]]]
) -> None:
    """Add persons in one transaction."""
    with gallery.transaction():
        enrol(gallery, persons)


def median_search(gallery: GalleryRepo, probes: list[Embedding], query: SearchQuery) -> float:
    """Return the median milliseconds of a search for `probes`."""
    times = [seconds(lambda: gallery.search("all", probes, query)) for _ in range(20)]
    return statistics.median(times) * 1000


def measure(gallery: GalleryRepo, faces: int) -> None:
    """Print the figures of one gallery."""
    gallery.create_collection(Collection("all", SPACE))
    many, few = list(people(faces, 0)), list(people(faces // 10, 1))
    probes = [records[0].embedding for _, records in few[:16]]
    together = seconds(lambda: enrol_together(gallery, many))
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


def enrolment_overhead(folder: Path, faces: int, rounds: int) -> float:
    """Return by what share enrolling takes longer than ``executemany``, the median of rounds."""
    rng = np.random.default_rng(2)
    vectors = normalized(rng.normal(size=(faces, SPACE.dim)).astype(np.float32))[0]
    ours, plain = [], []
    for number in range(rounds):
        path = folder / f"{number}.db"
        gallery = SqliteGallery(path)
        gallery.create_collection(Collection("all", SPACE))
        person, records = Person("Ann"), [FaceRecord(_embed(vector)) for vector in vectors]
        ours.append(seconds(partial(gallery.add_person, "all", person, records)))
        gallery.close()
        plain.append(_executemany_seconds(path))
    return overhead(plain, ours)


def _executemany_seconds(path: Path) -> float:
    """Return how long it takes to store the faces of a gallery once more, into an empty one."""
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        rows = conn.execute("SELECT * FROM faces").fetchall()
        conn.execute("DELETE FROM faces")
        conn.execute("DELETE FROM removals")
        conn.execute("VACUUM")
        conn.execute("PRAGMA synchronous = FULL")
        marks = ", ".join("?" * len(rows[0]))

        def store() -> None:
            conn.execute("BEGIN IMMEDIATE")
            conn.executemany(f"INSERT INTO faces VALUES ({marks})", rows)  # noqa: S608 - marks
            conn.execute("COMMIT")

        return seconds(store)


def main() -> None:
    """Measure both galleries."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=100_000)
    faces = parser.parse_args().faces
    measure(MemoryGallery(), faces)
    with tempfile.TemporaryDirectory() as folder:
        gallery = SqliteGallery(Path(folder) / "gallery.db")
        measure(gallery, faces)
        gallery.close()
        more = enrolment_overhead(Path(folder), 10_000, 5)
        print(f"enrol 10000 faces of a person: {1 + more:.2f} x executemany")  # noqa: T201


if __name__ == "__main__":
    main()
