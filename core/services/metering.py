"""Measuring the stages of the work: nothing by default, or the last minutes in memory."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import attrs

from facecv.core.arrays import Floats, Pixels
from facecv.core.embedding import EmbeddingSpace
from facecv.core.ports.embedder import Embedder
from facecv.core.ports.meter import Meter, Stage
from facecv.core.services.figures import Passes, Snapshot
from facecv.core.services.slot import Built


@attrs.frozen
class NoMeter:
    """Takes note of nothing."""

    def observe(self, stage: Stage, seconds: float, items: int, model: str, /) -> None:
        """Do nothing."""

    def batch(self, model: str, size: int, /) -> None:
        """Do nothing."""


@contextmanager
def timed(meter: Meter, stage: Stage, items: int, model: str = "") -> Iterator[None]:
    """Tell the meter how long the block takes; one that raises is not told."""
    start = time.perf_counter()
    yield
    meter.observe(stage, time.perf_counter() - start, items, model)


@attrs.frozen
class Meters:
    """Tells several meters."""

    all: tuple[Meter, ...]

    def observe(self, stage: Stage, seconds: float, items: int, model: str, /) -> None:
        """Tell every meter of a pass through a stage."""
        for meter in self.all:
            meter.observe(stage, seconds, items, model)

    def batch(self, model: str, size: int, /) -> None:
        """Tell every meter of a run of a network."""
        for meter in self.all:
            meter.batch(model, size)


_Sample = tuple[float, float, int]
"""When it was, what it took, how many items."""
_Key = tuple[str, str]
"""Stage and model."""


class RollingMeter:
    """Keeps the passes of the last minutes in memory. Safe to use from several threads.

    Args:
        window: seconds that are looked back.
        most: the most passes kept of one stage and model; where there are more, the report looks
            back less far.
        clock: tells the time in seconds.
    """

    def __init__(
        self,
        window: float = 300.0,
        most: int = 8192,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.window = window
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._began = clock()
        self._stages: dict[_Key, deque[_Sample]] = {}
        self._batches: dict[_Key, deque[_Sample]] = {}

    def observe(self, stage: Stage, seconds: float, items: int, model: str, /) -> None:
        """Keep one pass through a stage."""
        with self._lock:
            samples = self._stages.setdefault((stage, model), deque(maxlen=self._most))
            samples.append((self._clock(), seconds, items))

    def batch(self, model: str, size: int, /) -> None:
        """Keep one run of a network."""
        with self._lock:
            samples = self._batches.setdefault(("", model), deque(maxlen=self._most))
            samples.append((self._clock(), 0.0, size))

    def snapshot(self) -> Snapshot:
        """Return what is kept of the last minutes."""
        moment = self._clock()
        with self._lock:
            stages = tuple(self._recent(self._stages, moment))
            batches = tuple(self._recent(self._batches, moment))
        return Snapshot(self.window, moment - self._began, self._most, stages, batches)

    def _recent(self, kept: Mapping[_Key, deque[_Sample]], moment: float) -> Iterator[Passes]:
        for (stage, model), samples in kept.items():
            passes = tuple(
                (moment - when, took, items)
                for when, took, items in samples
                if moment - when <= self.window
            )
            if passes:
                yield Passes(stage, model, passes)


@attrs.frozen(eq=False)
class CountedEmbedder:
    """An embedder that tells a meter how many faces go through the network at a time."""

    embedder: Embedder
    meter: Meter

    @property
    def space(self) -> EmbeddingSpace:
        """The space of its vectors."""
        return self.embedder.space

    @property
    def input_size(self) -> int:
        """Side, in pixels, of the square crops it wants."""
        return self.embedder.input_size

    def embed(self, crops: Pixels, /) -> tuple[Floats, Floats]:
        """Return the vectors of aligned faces and the lengths of the network's outputs."""
        if len(crops):
            self.meter.batch(self.space.model, len(crops))
        return self.embedder.embed(crops)


def counted(built: Built[Embedder], meter: Meter) -> Built[Embedder]:
    """Return an embedder that was loaded, with its runs told to `meter`."""
    return attrs.evolve(built, model=CountedEmbedder(built.model, meter))
