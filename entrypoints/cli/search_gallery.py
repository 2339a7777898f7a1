"""Filling an SQLite gallery with made-up faces, and searching it as a server does.

The first searches after a restart, while the rows are on the disk, have figures of their own.
"""

import json
import os
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
    milliseconds,
    peak_bytes,
    resident_bytes,
    timed,
)

_NAME = "all"
_PART = 1 << 24  # bytes read at once
_FIRST = 100  # searches after a restart that are told of
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
    space, enrolled, others = _space(filled.made.dim), probes.enrolled, probes.others
    _forget(path)
    started = time.perf_counter()
    gallery = _open(path)
    gallery.search(_NAME, [Embedding(others[0], space)], SearchQuery(top_k))
    restart = time.perf_counter() - started

    def find(probe: Floats, most: int = top_k) -> tuple[int, ...]:
        [found] = gallery.search(_NAME, [Embedding(probe, space)], SearchQuery(most))
        return tuple(int(match.person.id) for match in found)

    first = milliseconds(find, others[1 : 1 + _FIRST])
    _read(path)
    for probe in others:
        find(probe)
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
        first=first,
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
    return int(np.sum([file.stat().st_size for file in _files(path)]))


def _files(path: Path) -> list[Path]:
    return [path, *path.parent.glob(f"{path.name}.graphs/*")]


def _forget(path: Path) -> None:
    """Let the system drop a gallery's files from its cache, where it can be told to."""
    if not hasattr(os, "posix_fadvise"):
        return
    for one in _files(path):
        with one.open("rb") as file:
            os.fsync(file.fileno())  # what is not written yet would stay
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _read(path: Path) -> None:
    """Bring a gallery's files into the cache of the system, as far as there is room."""
    for one in _files(path):
        with one.open("rb", buffering=0) as file:
            while file.read(_PART):
                pass
