"""The best persons among the candidates of a graph, however many faces a person has."""

from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np

from facecv.adapters.galleries.graph import Candidates
from facecv.adapters.galleries.ranking import Hit, Keys, Rows
from facecv.core.arrays import Floats

_LEAST = 64
_FACES_A_PERSON = 8
_GROWTH = 6
_LOOKED_UP = 4  # candidates for each of the wanted persons that are looked up at first
_CROWD = 64
_STANDS_OUT = 12  # among a million faces: right persons 8 to 50, strangers 2 to 10
_THOROUGH = 2048  # candidates beyond which a search cannot have gone astray; 1024 were too few
_SLACK = 0.02  # what similarities of bytes may be wrong by: deviation 0.004, of 512 numbers

Resolve = Callable[[Keys], Rows]
"""Returns those of some faces that are there and may be found, by rising key."""


class Source(Protocol):
    """What proposes candidates."""

    def __len__(self) -> int: ...

    @property
    def exact(self) -> bool:
        """Whether no nearer face is ever missed."""
        ...

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

    More candidates are asked for until enough persons are found or none are left, and where those
    found are such as a search that went astray finds.

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
        best = _best(candidates, probes[waiting], resolve, top_k, threshold)
        unfinished = []
        for at, some, hits in zip(waiting, candidates, best, strict=True):
            found[at] = hits
            few = len(hits) < top_k and not _all_seen(some, threshold)
            if few or (count < _THOROUGH and not source.exact and _astray(hits, some)):
                unfinished.append(at)
        waiting = unfinished if count < len(source) else []
        count *= _GROWTH
    return found


def _best(
    candidates: list[Candidates],
    probes: Floats,
    resolve: Resolve,
    top_k: int,
    threshold: float | None,
) -> list[list[Hit]]:
    """Return the best persons, looking up no candidate that cannot be the best of one of them."""
    seen = _union(some.first(_LOOKED_UP * top_k) for some in candidates)
    rows = resolve(seen)
    found = _ranked(rows, candidates, probes, top_k, threshold)
    floors = (_floor(hits, top_k, threshold) for hits in found)
    near = (some.first(some.above(floor)) for some, floor in zip(candidates, floors, strict=True))
    more = np.setdiff1d(_union(near), seen, assume_unique=True)
    if not len(more):
        return found
    return _ranked(rows.joined(resolve(more)), candidates, probes, top_k, threshold)


def _union(candidates: Iterable[Candidates]) -> Keys:
    """Return the faces of some candidates, each once, by rising key."""
    return np.unique(np.concatenate([some.faces for some in candidates]))


def _ranked(
    rows: Rows,
    candidates: list[Candidates],
    probes: Floats,
    top_k: int,
    threshold: float | None,
) -> list[list[Hit]]:
    """Return the best persons among those candidates that are in `rows`."""
    return [
        rows.of(some.faces).best(probe, top_k, threshold)
        for some, probe in zip(candidates, probes, strict=True)
    ]


def _floor(hits: list[Hit], top_k: int, threshold: float | None) -> float:
    """Return below which similarity no candidate can change what was found."""
    if len(hits) == top_k:
        return hits[-1].similarity - _SLACK
    return -np.inf if threshold is None else threshold - _SLACK


def _astray(hits: list[Hit], some: Candidates) -> bool:
    """Return whether a search may not have come near the right person.

    In a large graph some never do. What they find are strangers, whose similarities crowd together
    at the end of their distribution. A person that is right stands out, unless there are very many
    faces of it, and then a second look costs little.
    """
    if len(some.faces) < _CROWD:
        return False
    if not hits:
        return True
    middle, last = some.similarities[[_CROWD // 2 - 1, _CROWD - 1]]
    return bool(hits[0].similarity - middle < _STANDS_OUT * (middle - last))


def _all_seen(some: Candidates, threshold: float | None) -> bool:
    """Return whether whatever follows these candidates is below the threshold."""
    if threshold is None or not len(some.faces):
        return False
    return bool(some.similarities[-1] < threshold - _SLACK)
