"""Which way of running the models is fastest on this machine, measured."""

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

import attrs
import numpy as np

from facecv.core.arrays import Floats, Pixels
from facecv.core.ports.detector import Detector, DetectorOptions
from facecv.core.ports.embedder import Embedder

Clock = Callable[[], float]

LEAST_COSINE = 0.99
"""A candidate whose embeddings agree less with those of the first one cannot win."""


@attrs.frozen(eq=False)
class Candidate:
    """One way of running the models.

    Attributes:
        settings: keys of the configuration, with dots, that lead to it.
        detector: loaded that way.
        embedder: likewise.
    """

    settings: Mapping[str, Any]
    detector: Detector
    embedder: Embedder


@attrs.frozen
class Timing:
    """What was measured of one candidate.

    Attributes:
        settings: keys of the configuration, with dots, that lead to it.
        detect: seconds for one picture.
        embed: size of a batch to seconds for each face of it.
        cosine: least agreement of its embeddings with those of the first candidate, -1..1.
    """

    settings: Mapping[str, Any]
    detect: float
    embed: Mapping[int, float]
    cosine: float

    @property
    def batch(self) -> int:
        """The size of a batch that costs least for each face."""
        return min(self.embed, key=lambda size: self.embed[size])

    def seconds(self, faces: int) -> float:
        """Return the seconds for a picture of some faces, embedded in the best batch."""
        return self.detect + faces * self.embed[self.batch]


def measure(
    candidates: Sequence[Candidate],
    picture: Pixels,
    options: DetectorOptions,
    *,
    batches: Sequence[int] = (1, 4, 8, 16, 32),
    rounds: int = 7,
    clock: Clock = time.perf_counter,
) -> list[Timing]:
    """Return the median times of each candidate; all take turns, so that noise hits them alike.

    Args:
        candidates: at least one; the first is what the others must agree with.
        picture: uint8 [H, W, 3] BGR, to be searched for faces.
        options: how.
        batches: numbers of faces embedded together.
        rounds: how often each is run, after one run that does not count.
        clock: returns seconds.
    """
    crops = [_crops(max(batches), one.embedder.input_size) for one in candidates]
    vectors = [one.embedder.embed(faces)[0] for one, faces in zip(candidates, crops, strict=True)]
    detect = _paired([_detection(one, picture, options) for one in candidates], rounds, clock)
    embed = {
        size: _paired(
            [_embedding(one, faces[:size]) for one, faces in zip(candidates, crops, strict=True)],
            rounds,
            clock,
        )
        for size in batches
    }
    return [
        Timing(
            one.settings,
            detect[place],
            {size: seconds[place] / size for size, seconds in embed.items()},
            _agreement(vectors[0], vectors[place]),
        )
        for place, one in enumerate(candidates)
    ]


def fastest(timings: Sequence[Timing], faces: int) -> Timing:
    """Return the quickest for pictures of some faces, of those that agree with the first."""
    sound = [one for one in timings if one.cosine >= LEAST_COSINE]
    return min(sound or timings[:1], key=lambda one: one.seconds(faces))


def _crops(count: int, side: int) -> Pixels:
    """Return crops that are no faces, but differ: the time does not depend on what they show."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, 7, 7, 3)).astype(np.uint8)
    return coarse.repeat(-(-side // 7), axis=1).repeat(-(-side // 7), axis=2)[:, :side, :side]


def _detection(one: Candidate, picture: Pixels, options: DetectorOptions) -> Callable[[], object]:
    return lambda: one.detector.detect([picture], options)


def _embedding(one: Candidate, crops: Pixels) -> Callable[[], object]:
    return lambda: one.embedder.embed(crops)


def _paired(actions: Sequence[Callable[[], object]], rounds: int, clock: Clock) -> list[float]:
    """Return the median seconds of each action."""
    for action in actions:
        action()
    seconds: list[list[float]] = [[] for _ in actions]
    for _ in range(rounds):
        for action, taken in zip(actions, seconds, strict=True):
            started = clock()
            action()
            taken.append(clock() - started)
    return [median(taken) for taken in seconds]


def _agreement(first: Floats, other: Floats) -> float:
    if first.shape != other.shape:
        return -1.0
    return float((first * other).sum(axis=1).min())
