"""Measuring the stages of the work: nothing by default, or the last minutes in memory."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import attrs
import numpy as np

from facecv.core.arrays import Floats, Pixels
from facecv.core.embedding import EmbeddingSpace
from facecv.core.ports.embedder import Embedder
from facecv.core.ports.meter import Meter, Stage
from facecv.core.services.slot import Built

KeyT = TypeVar("KeyT")


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


@attrs.frozen
class StageReport:
    """What a stage did during the last minutes.

    Attributes:
        count: passes.
        items: pictures, faces or probes in them.
        per_second: items in a second, over the time that was looked at.
        p50: median seconds of a pass.
        p95: seconds that 95 % of passes took at most.
        p99: likewise 99 %.
    """

    count: int
    items: int
    per_second: float
    p50: float
    p95: float
    p99: float


@attrs.frozen
class BatchReport:
    """The runs of a network during the last minutes.

    Attributes:
        runs: how many.
        mean: faces in one, on average.
        largest: the most faces in one.
    """

    runs: int
    mean: float
    largest: int


_Sample = tuple[float, float, int]
"""When it was, what it took, how many items."""


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
        self._stages: dict[tuple[str, str], deque[_Sample]] = {}
        self._batches: dict[str, deque[_Sample]] = {}

    def observe(self, stage: Stage, seconds: float, items: int, model: str, /) -> None:
        """Keep one pass through a stage."""
        with self._lock:
            samples = self._stages.setdefault((stage, model), deque(maxlen=self._most))
            samples.append((self._clock(), seconds, items))

    def batch(self, model: str, size: int, /) -> None:
        """Keep one run of a network."""
        with self._lock:
            samples = self._batches.setdefault(model, deque(maxlen=self._most))
            samples.append((self._clock(), 0.0, size))

    def stages(self) -> Mapping[str, StageReport]:
        """Return what each stage did, whatever the model."""
        found: dict[str, list[_Sample]] = {}
        for (stage, _), samples in self._recent(self._stages).items():
            found.setdefault(stage, []).extend(samples)
        return {stage: self._report(samples) for stage, samples in found.items()}

    def models(self) -> Mapping[tuple[str, str], StageReport]:
        """Return what each model did, by its name and the stage."""
        recent = self._recent(self._stages)
        return {
            (model, stage): self._report(samples)
            for (stage, model), samples in recent.items()
            if model
        }

    def batches(self) -> Mapping[str, BatchReport]:
        """Return the runs of each network."""
        sizes = {
            model: [size for _, _, size in samples]
            for model, samples in self._recent(self._batches).items()
        }
        return {
            model: BatchReport(len(each), sum(each) / len(each), max(each))
            for model, each in sizes.items()
        }

    def _recent(self, kept: dict[KeyT, deque[_Sample]]) -> dict[KeyT, list[_Sample]]:
        oldest = self._clock() - self.window
        with self._lock:
            found = {
                key: [sample for sample in samples if sample[0] >= oldest]
                for key, samples in kept.items()
            }
        return {key: samples for key, samples in found.items() if samples}

    def _report(self, samples: list[_Sample]) -> StageReport:
        now = self._clock()
        full = len(samples) >= self._most
        since = min(when for when, _, _ in samples) if full else max(self._began, now - self.window)
        items = sum(count for _, _, count in samples)
        p50, p95, p99 = np.percentile([took for _, took, _ in samples], [50, 95, 99]).tolist()
        return StageReport(len(samples), items, items / max(now - since, 1e-9), p50, p95, p99)


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
