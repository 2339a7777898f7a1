"""From faces that may be the nearest to the persons that are: exact cosines, each person once."""

from collections.abc import Iterable

import attrs
import numpy as np
from numpy.typing import NDArray

from facecv.core.arrays import Floats

Keys = NDArray[np.int64]
"""Faces or persons by whole numbers, rising in order of enrolment [N]."""

_DECIMALS = 6  # what float32 vectors can carry: equal faces tie, and a face is at 1.0 from itself


@attrs.frozen
class Hit:
    """A person that resembles a probe: keys of person and best face, and the cosine."""

    person: int
    face: int
    similarity: float


@attrs.frozen(eq=False)
class Rows:
    """Faces to choose from.

    Attributes:
        faces: their keys [N].
        persons: the keys of their persons [N].
        vectors: float32 [N, D], of length one.
    """

    faces: Keys
    persons: Keys
    vectors: Floats

    def of(self, faces: Keys) -> "Rows":
        """Return those rows whose keys are in `faces`; the keys of all must rise."""
        if not len(self.faces):
            return self
        at = np.minimum(np.searchsorted(self.faces, faces), len(self.faces) - 1)
        at = at[self.faces[at] == faces]
        return Rows(self.faces[at], self.persons[at], self.vectors[at])

    def joined(self, other: "Rows") -> "Rows":
        """Return these rows and others, by rising key."""
        faces = np.concatenate([self.faces, other.faces])
        order = np.argsort(faces)
        return Rows(
            faces[order],
            np.concatenate([self.persons, other.persons])[order],
            np.concatenate([self.vectors, other.vectors])[order],
        )

    def best(self, probe: Floats, top_k: int, threshold: float | None) -> list[Hit]:
        """Return the persons most like `probe` (float32 [D]), each with the best face.

        By falling similarity; of equally alike ones the face enrolled first comes first.
        """
        cosines = _exact_cosines(self.vectors, probe)
        best = np.lexsort((self.faces, -cosines))
        firsts = np.unique(self.persons[best], return_index=True)[1]
        hits = [
            Hit(int(self.persons[at]), int(self.faces[at]), float(cosines[at]))
            for at in best[np.sort(firsts)[:top_k]]
        ]
        return [hit for hit in hits if threshold is None or hit.similarity >= threshold]


def merged(one: list[list[Hit]], other: list[list[Hit]], top_k: int) -> list[list[Hit]]:
    """Return the best persons of two searches for the same probes."""
    return [
        _distinct_persons(sorted(a + b, key=lambda hit: (-hit.similarity, hit.face)))[:top_k]
        for a, b in zip(one, other, strict=True)
    ]


def as_keys(numbers: Iterable[int]) -> Keys:
    """Return whole numbers as an array."""
    return np.fromiter(numbers, np.int64)


def _distinct_persons(hits: list[Hit]) -> list[Hit]:
    first: dict[int, Hit] = {}
    for hit in hits:
        first.setdefault(hit.person, hit)
    return list(first.values())


def _exact_cosines(vectors: Floats, probe: Floats) -> NDArray[np.float64]:
    """Return float64 [N], free of what a row's place in a float32 product does to it."""
    cosines = vectors.astype(np.float64) @ probe.astype(np.float64)
    return np.clip(cosines.round(_DECIMALS), -1.0, 1.0)
