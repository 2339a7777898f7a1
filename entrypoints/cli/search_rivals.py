"""What searches of a gallery are measured against: numpy and faiss."""

import importlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facecv.core.arrays import Floats
from facecv.core.errors import RuntimeMissingError
from facecv.entrypoints.cli.search_timing import Figures, Probes, resident_bytes, timed

RIVALS = ("numpy", "faiss-flat", "faiss-hnsw")
_EXACT = 100  # probes of those that compare every face
_CANDIDATES = 64  # nearest faces, from which the nearest persons are taken

FindFaces = Callable[[Floats], NDArray[np.int64]]
"""Returns the rows of the faces nearest to a probe [1, D], nearest first."""


def measure_rival(
    name: str, matrix: Path, faces_a_person: int, probes: Probes, callers: Sequence[int]
) -> Figures:
    """Return the figures of one of `RIVALS`.

    Raises:
        RuntimeMissingError: faiss is not installed.
    """
    module = _faiss() if name.startswith("faiss") else None
    started = time.perf_counter()
    find = _numpy(matrix) if module is None else _in_faiss(module, name, matrix)
    built = time.perf_counter() - started

    def persons(probe: Floats) -> list[int]:
        return list(dict.fromkeys((find(probe[None]) // faces_a_person).tolist()))

    if name != "faiss-hnsw":
        probes = probes.first(_EXACT)
    runs = timed(persons, probes, callers)
    size, resident = matrix.stat().st_size, resident_bytes()
    return Figures(name, built, 0.0, size, resident, runs, deep=runs[0].found)


def _numpy(matrix: Path) -> FindFaces:
    vectors = np.load(matrix)

    def find(probe: Floats) -> NDArray[np.int64]:
        cosines = vectors @ probe[0]
        best = np.argpartition(-cosines, min(_CANDIDATES, len(cosines) - 1))[:_CANDIDATES]
        order: NDArray[np.int64] = best[np.argsort(-cosines[best])]
        return order

    return find


def _in_faiss(faiss: Any, name: str, matrix: Path) -> FindFaces:  # noqa: ANN401 - has no types
    vectors = np.load(matrix, mmap_mode="r")
    dim = vectors.shape[1]
    if name == "faiss-hnsw":
        index = faiss.IndexHNSWFlat(dim, 16, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction, index.hnsw.efSearch = 128, 192
    else:
        index = faiss.IndexFlatIP(dim)
    for start in range(0, len(vectors), 10_000):
        index.add(np.ascontiguousarray(vectors[start : start + 10_000]))

    def find(probe: Floats) -> NDArray[np.int64]:
        rows: NDArray[np.int64] = index.search(probe, _CANDIDATES)[1][0]
        return rows

    return find


def _faiss() -> Any:  # noqa: ANN401 - has no types
    try:
        return importlib.import_module("faiss")
    except ImportError as error:
        raise RuntimeMissingError(
            "the package 'faiss' is not installed", hint="pip install faiss-cpu, or leave it out"
        ) from error
