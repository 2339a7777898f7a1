"""Times of searches by one caller and by several at once, and the memory of this process."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import attrs
import numpy as np

from facecv.core.arrays import Floats

MOST = 10
"""Persons a probe of which recall is told."""
FindPersons = Callable[[Floats], Sequence[int]]
"""Returns the numbers of the persons nearest to a probe [D], nearest first."""


@attrs.frozen(eq=False)
class Probes:
    """What is searched for.

    Attributes:
        enrolled: faces of persons in the collection, float32 [N, D], of length one.
        strangers: faces of other persons, likewise.
        others: more faces of persons in the collection, searched for before times are taken.
    """

    enrolled: Floats
    strangers: Floats
    others: Floats

    def first(self, count: int) -> "Probes":
        """Return the first ones of each kind."""
        return Probes(self.enrolled[:count], self.strangers[:count], self.others[:count])


@attrs.frozen
class Timed:
    """Searches by some callers at once.

    Attributes:
        whose: faces were searched for, the name of one of the `Probes`.
        callers: how many.
        p50: half of the searches took at most so many milliseconds; likewise the next ones.
        per_second: searches done in a second by all callers.
        found: the persons that each search found, in the order of the probes.
    """

    whose: str
    callers: int
    p50: float
    p95: float
    p99: float
    per_second: float
    found: tuple[tuple[int, ...], ...] = attrs.field(repr=False)


@attrs.frozen
class Figures:
    """What was measured of one way to search.

    Attributes:
        name: of the way.
        build: seconds to make its index.
        restart: seconds from opening to the first answer, where the system can be told to forget
            the files, from the disk; 0: not measured.
        first: milliseconds of half the searches that follow; 0: not measured.
        size: bytes on the disk.
        resident: bytes in memory after the searches; 0 where the system does not tell.
        runs: the searches.
        deep: the `MOST` persons found for each probe, in the order of the probes.
        building: the most bytes in memory while the index was made; 0: not measured.
        enrol: seconds to store the faces; 0: not measured.
        filtered: milliseconds of half the searches among 1 % of the persons; 0: not measured.
    """

    name: str
    build: float
    restart: float
    size: int
    resident: int
    runs: tuple[Timed, ...]
    deep: tuple[tuple[int, ...], ...] = attrs.field(repr=False)
    building: int = 0
    enrol: float = 0.0
    first: float = 0.0
    filtered: float = 0.0


def timed(find: FindPersons, probes: Probes, callers: Sequence[int]) -> tuple[Timed, ...]:
    """Search for the enrolled by so many callers at once each time, and for strangers by one."""
    others = probes.others
    enrolled = (_timed(find, "enrolled", probes.enrolled, others, count) for count in callers)
    return (*enrolled, _timed(find, "strangers", probes.strangers, others, 1))


def milliseconds(find: FindPersons, probes: Floats) -> float:
    """Return how long half the searches of one caller take at most."""
    return float(np.median([_clocked(find, probe)[0] for probe in probes]))


def _clocked(find: FindPersons, probe: Floats) -> tuple[float, tuple[int, ...]]:
    """Return the milliseconds that a search takes, and what it finds."""
    started = time.perf_counter()
    found = find(probe)
    return (time.perf_counter() - started) * 1000, tuple(found)


def _timed(find: FindPersons, whose: str, probes: Floats, others: Floats, callers: int) -> Timed:
    """Search for all probes, shared among `callers` threads that have searched for others."""
    search = partial(_clocked, find)
    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(search, others[: 2 * callers]))
        started = time.perf_counter()
        results = list(pool.map(search, probes))
        wall = time.perf_counter() - started
    p50, p95, p99 = np.percentile([took for took, _ in results], [50, 95, 99])
    found = tuple(persons for _, persons in results)
    return Timed(whose, callers, float(p50), float(p95), float(p99), len(probes) / wall, found)


def recall(found: Sequence[Sequence[int]], exact: Sequence[Sequence[int]], count: int) -> float:
    """Return which share of the exactly nearest `count` persons was found among the first ones."""
    pairs = list(zip(found, exact, strict=False))
    hits = sum(len(set(some[:count]) & set(right[:count])) for some, right in pairs)
    return hits / (count * len(pairs))


def resident_bytes() -> int:
    """Return how much memory of this process is resident; 0 where the system does not tell."""
    return _status("VmRSS:")


def peak_bytes() -> int:
    """Return how much memory of this process was resident at most; 0 as above."""
    return _status("VmHWM:")


def _status(name: str) -> int:
    status = Path("/proc/self/status")
    if not status.is_file():
        return 0
    lines = status.read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))
