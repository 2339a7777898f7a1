"""The best persons among the candidates of a graph, however many faces a person has."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from facecv.adapters.galleries.graph import Candidates
from facecv.adapters.galleries.ranking import Hit, Keys, Rows
from facecv.core.arrays import Floats

_LEAST = 64
_FACES_A_PERSON = 8
_GROWTH = 4
_SLACK = 0.03  # what a similarity of vectors of one byte a number may be wrong by

Resolve = Callable[[Keys], Rows]
"""Returns those of some faces that are there and may be found, by rising key."""


class Source(Protocol):
    """What proposes candidates."""

    def __len__(self) -> int: ...

    def nearest(self, probes: Floats, count: int) -> list[Candidates]:
        """Return about the `count` faces nearest to each probe."""
        ...


def best_persons(
    source: Source,
    probes: Floats,
    resolve: Resolve,
    *,
    top_k: int,
    threshold: float | None = None,
    share: float = 1.0,
) -> list[list[Hit]]:
    """Return, for each probe, the persons most like it among the candidates of `source`.

    More candidates are asked for until enough persons are found or none are left.

    Args:
        source: proposes faces; those that are gone are dropped by `resolve`.
        probes: float32 [Q, D], of length one.
        resolve: looks candidates up.
        top_k: the most persons for a probe; no more than there are, or all faces are looked at.
        threshold: the least cosine, inclusive; None: no limit.
        share: about how many of the candidates `resolve` lets through, 0..1.
    """
    found: list[list[Hit]] = [[] for _ in probes]
    waiting = list(range(len(probes))) if len(source) and top_k else []
    count = int(max(_LEAST, _FACES_A_PERSON * top_k) / max(share, 1e-3))
    while waiting:
        count = min(count, len(source))
        candidates = source.nearest(probes[waiting], count)
        rows = resolve(np.unique(np.concatenate([some.faces for some in candidates])))
        unfinished = []
        for at, some in zip(waiting, candidates, strict=True):
            found[at] = rows.of(some.faces).best(probes[at], top_k, threshold)
            if len(found[at]) < top_k and not _all_seen(some, threshold):
                unfinished.append(at)
        waiting = unfinished if count < len(source) else []
        count *= _GROWTH
    return found


def _all_seen(some: Candidates, threshold: float | None) -> bool:
    """Return whether whatever follows these candidates is below the threshold."""
    if threshold is None or not len(some.faces):
        return False
    return bool(some.similarities[-1] < threshold - _SLACK)
