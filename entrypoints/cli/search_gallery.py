"""Filling an SQLite gallery with made-up faces, and searching it as a program just started does."""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import attrs
import numpy as np

from facecv.core.arrays import Floats
from facecv.core.embedding import Embedding, EmbeddingSpace
from facecv.core.gallery import Collection, FaceRecord, Person, SearchQuery
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.entrypoints.bootstrap import configure, prepare
from facecv.entrypoints.cli.search_faces import MadeFaces
from facecv.entrypoints.cli.search_timing import Figures, resident_bytes, timed

_NAME = "all"
_GROUPS = 100  # of persons, by metadata: a filter for one keeps 1 %


@attrs.frozen
class Filled:
    """How long it took to fill a gallery.

    Attributes:
        enrol: seconds to store the faces.
        build: seconds to make searches fast.
    """

    enrol: float
    build: float


def fill(path: Path, made: MadeFaces) -> Filled:
    """Store all faces, and build what makes searches fast."""
    gallery, space = _open(path), _space(made.dim)
    gallery.create_collection(Collection(_NAME, space))
    enrol = 0.0
    for persons, vectors in made.parts():
        people = [Person(_id(n), id=_id(n), metadata={"group": n % _GROUPS}) for n in persons]
        faces = [[FaceRecord(Embedding(row, space)) for row in rows] for rows in vectors]
        started = time.perf_counter()
        with gallery.transaction():
            for person, records in zip(people, faces, strict=True):
                gallery.add_person(_NAME, person, records)
        enrol += time.perf_counter() - started
    started = time.perf_counter()
    gallery.prepare(_NAME)
    build = time.perf_counter() - started
    gallery.close()
    return Filled(enrol, build)


def measure_gallery(
    path: Path, filled: Filled, probes: Floats, top_k: int, callers: Sequence[int]
) -> Figures:
    """Return the figures of a gallery that was filled; to be called in a fresh process."""
    space = _space(probes.shape[1])
    started = time.perf_counter()
    gallery = _open(path)
    gallery.search(_NAME, [Embedding(probes[0], space)], SearchQuery(top_k))
    restart = time.perf_counter() - started

    def find(probe: Floats) -> list[int]:
        [found] = gallery.search(_NAME, [Embedding(probe, space)], SearchQuery(top_k))
        return [int(match.person.id) for match in found]

    runs = tuple(timed(find, probes, count) for count in callers)
    resident = resident_bytes()
    filtered = _filtered(gallery, [Embedding(probe, space) for probe in probes[:50]], top_k)
    gallery.close()
    return Figures(
        "facecv",
        filled.build,
        restart,
        _size(path),
        resident,
        runs,
        enrol=filled.enrol,
        filtered=filtered,
    )


def _filtered(gallery: GalleryRepo, probes: Sequence[Embedding], top_k: int) -> float:
    """Return the median milliseconds of searches among 1 % of the persons."""
    times = []
    for number, probe in enumerate(probes):
        query = SearchQuery(top_k, where={"group": number % _GROUPS})
        started = time.perf_counter()
        gallery.search(_NAME, [probe], query)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def _open(path: Path) -> GalleryRepo:
    repo: GalleryRepo = prepare(configure({"gallery": str(path)})).gallery().get()
    return repo


def _space(dim: int) -> EmbeddingSpace:
    return EmbeddingSpace("made-up", dim, "0" * 64, "none")


def _id(number: int) -> str:
    return f"{number:08}"


def _size(path: Path) -> int:
    files = [path, *path.parent.glob(f"{path.name}.graphs/*")]
    return int(np.sum([file.stat().st_size for file in files]))
