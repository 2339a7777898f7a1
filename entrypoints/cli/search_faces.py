"""Made-up faces for measuring searches: persons at random, some faces around each."""

from collections.abc import Iterator
from pathlib import Path

import attrs
import numpy as np
from numpy.typing import NDArray

from facecv.core.arrays import Floats
from facecv.core.embedding import normalized

_PERSONS_AT_ONCE = 4096
_TYPICAL = (0.775, 0.1)
"""Mean and deviation of the cosine between a face and what its person looks like."""
_DECAY = 0.22
"""Share of the dimensions over which the variance of persons falls to a third of the first's.

With this, strangers are at 0.000 +- 0.067 and two faces of a person at 0.60 +- 0.11 in 512
dimensions. w600k_mbf on 1,549 photos of LFW: 0.016 +- 0.067 and 0.60 +- 0.11.
"""


@attrs.frozen
class MadeFaces:
    """A collection that can be made again, part by part.

    Attributes:
        faces: how many.
        faces_a_person: how many of them each person has.
        dim: numbers of a vector.
    """

    faces: int
    faces_a_person: int = 5
    dim: int = 512

    @property
    def persons(self) -> int:
        """How many persons there are."""
        return -(-self.faces // self.faces_a_person)

    def parts(self) -> Iterator[tuple[range, Floats]]:
        """Yield persons, and their faces as float32 [persons, faces of each, dim]."""
        for first in range(0, self.persons, _PERSONS_AT_ONCE):
            some = range(first, min(first + _PERSONS_AT_ONCE, self.persons))
            yield some, self._around(self._centres(first, len(some)), self.faces_a_person, first)

    def probes(self, count: int) -> tuple[NDArray[np.int64], Floats]:
        """Return persons [count], and a face of each that is not in the collection."""
        rng = np.random.default_rng([1, self.faces])
        chosen = np.sort(rng.integers(0, self.persons, count))
        out = np.empty((count, self.dim), np.float32)
        for part in np.unique(chosen // _PERSONS_AT_ONCE):
            mine = np.flatnonzero(chosen // _PERSONS_AT_ONCE == part)
            first = int(part) * _PERSONS_AT_ONCE
            centres = self._centres(first, min(_PERSONS_AT_ONCE, self.persons - first))
            some = centres[chosen[mine] - first]
            out[mine] = self._around(some, 1, -1 - int(part))[:, 0]
        order = rng.permutation(count)
        return chosen[order], out[order]

    def strangers(self, count: int) -> Floats:
        """Return faces float32 [count, dim] of as many persons who are not in the collection."""
        centres = normalized(self._drawn(np.random.default_rng([4, self.faces]), (count, self.dim)))
        return self._around(centres[0], 1, -1 - self.persons)[:, 0]

    def _centres(self, first: int, count: int) -> Floats:
        rng = np.random.default_rng([2, first])
        centres: Floats = normalized(self._drawn(rng, (count, self.dim)))[0]
        return centres

    def _around(self, centres: Floats, each: int, seed: int) -> Floats:
        """Return unit vectors [N, each, dim], some of which are more typical than others."""
        rng = np.random.default_rng([3, seed % (1 << 32)])
        shape = (len(centres), each, self.dim)
        typical = rng.normal(*_TYPICAL, (*shape[:2], 1)).clip(0.4, 0.95).astype(np.float32)
        own: Floats = np.sqrt(1 - typical**2) * self._drawn(rng, shape)
        mixed: Floats = typical * centres[:, None] + own
        flat: Floats = normalized(mixed.reshape(-1, self.dim))[0]
        return flat.reshape(shape)

    def _drawn(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """Return vectors [..., dim] of length one, about, that vary more in some directions."""
        spread = np.exp(-np.arange(self.dim) / (2 * _DECAY * self.dim))
        scale = (spread / np.linalg.norm(spread)).astype(np.float32)
        drawn: Floats = rng.standard_normal(shape, dtype=np.float32) * scale
        return drawn


def write_matrix(made: MadeFaces, path: Path) -> None:
    """Write all faces as one float32 matrix; those of a person follow one another."""
    shape = (made.persons * made.faces_a_person, made.dim)
    out = np.lib.format.open_memmap(path, "w+", np.float32, shape)
    at = 0
    for _, vectors in made.parts():
        rows = vectors.reshape(-1, made.dim)
        out[at : at + len(rows)] = rows
        at += len(rows)
    out.flush()


def nearest_persons(made: MadeFaces, probes: Floats, count: int) -> NDArray[np.int64]:
    """Return, exactly, the persons nearest to each probe [Q, count], nearest first."""
    best = np.full((len(probes), 0), -2.0, np.float32)
    who = np.full((len(probes), 0), -1, np.int64)
    for some, vectors in made.parts():
        flat = vectors.reshape(-1, made.dim)
        cosines = (probes @ flat.T).reshape(len(probes), len(some), -1).max(axis=2)
        best = np.concatenate([best, cosines], axis=1)
        who = np.concatenate([who, np.broadcast_to(np.array(some), cosines.shape)], axis=1)
        order = np.argsort(-best, axis=1, kind="stable")[:, :count]
        best, who = np.take_along_axis(best, order, 1), np.take_along_axis(who, order, 1)
    return who
