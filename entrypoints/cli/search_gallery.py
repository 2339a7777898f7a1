"""Filling an SQLite gallery with made-up faces, and searching it as a program just started does."""

import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import attrs
import numpy as np

from facecv.core.arrays import Floats
from facecv.core.embedding import Embedding, EmbeddingSpace
from facecv.core.errors import InputError
from facecv.core.gallery import Collection, FaceRecord, Person, SearchQuery
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.entrypoints.bootstrap import configure, prepare
from facecv.entrypoints.cli.search_faces import MadeFaces
from facecv.entrypoints.cli.search_timing import (
    MOST,
    Figures,
    Probes,
    peak_bytes,
    resident_bytes,
    timed,
)

_NAME = "all"
_GROUPS = 100  # of persons, by metadata: a filter for one keeps 1 %


@attrs.frozen
class Filled:
    """How far a gallery is filled, and how long that took.

    Attributes:
        made: the faces.
        persons: how many are stored.
        enrol: seconds to store their faces.
        build: seconds to make searches fast; 0: not done yet.
        building: the most bytes that were resident meanwhile.
    """

    made: MadeFaces
    persons: int = 0
    enrol: float = 0.0
    build: float = 0.0
    building: int = 0


def fill(path: Path, made: MadeFaces) -> Filled:
    """Store all faces, and build what makes searches fast; go on where an earlier call stopped."""
    filled, gallery = _noted(path, made), _open(path)
    if not filled.persons:
        gallery.create_collection(Collection(_NAME, _space(made.dim)))
    for persons, vectors in made.parts():
        if persons.start >= filled.persons:
            seconds = _store(gallery, persons, vectors)
            filled = attrs.evolve(filled, persons=persons.stop, enrol=filled.enrol + seconds)
            _note(path, filled)
    if not filled.build:
        started = time.perf_counter()
        gallery.prepare(_NAME)
        seconds = time.perf_counter() - started
        filled = attrs.evolve(filled, build=seconds, building=peak_bytes())
        _note(path, filled)
    gallery.close()
    return filled


def _store(gallery: GalleryRepo, persons: range, vectors: Floats) -> float:
    """Store persons in one transaction; return the seconds it took."""
    space = _space(vectors.shape[2])
    people = [Person(_id(n), id=_id(n), metadata={"group": n % _GROUPS}) for n in persons]
    faces = [[FaceRecord(Embedding(row, space)) for row in rows] for rows in vectors]
    started = time.perf_counter()
    gallery.add_persons(_NAME, list(zip(people, faces, strict=True)))
    return time.perf_counter() - started


def _noted(path: Path, made: MadeFaces) -> Filled:
    """Return how far a gallery is filled; raise `InputError` if with other faces."""
    notes = _notes(path)
    if not notes.exists():
        return Filled(made)
    text = json.loads(notes.read_text(encoding="utf-8"))
    if MadeFaces(**text.pop("made")) != made:
        raise InputError(f"{path} holds other made-up faces", hint="give another folder")
    return Filled(made, **text)


def _note(path: Path, filled: Filled) -> None:
    _notes(path).write_text(json.dumps(attrs.asdict(filled)), encoding="utf-8")


def _notes(path: Path) -> Path:
    return path.with_name(f"{path.name}.filled.json")


def measure_gallery(
    path: Path, filled: Filled, probes: Probes, top_k: int, callers: Sequence[int]
) -> Figures:
    """Return the figures of a gallery that was filled; to be called in a fresh process."""
    space, enrolled = _space(filled.made.dim), probes.enrolled
    started = time.perf_counter()
    gallery = _open(path)
    gallery.search(_NAME, [Embedding(enrolled[0], space)], SearchQuery(top_k))
    restart = time.perf_counter() - started

    def find(probe: Floats, most: int = top_k) -> tuple[int, ...]:
        [found] = gallery.search(_NAME, [Embedding(probe, space)], SearchQuery(most))
        return tuple(int(match.person.id) for match in found)

    runs = timed(find, probes, callers)
    resident = resident_bytes()
    filtered = _filtered(gallery, [Embedding(probe, space) for probe in enrolled[:50]], top_k)
    deep = tuple(find(probe, MOST) for probe in enrolled)
    gallery.close()
    return Figures(
        "facecv",
        filled.build,
        restart,
        _size(path),
        resident,
        runs,
        deep=deep,
        building=filled.building,
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
