"""Which way of running the models is fastest on this machine, measured."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import median
from typing import Any

import attrs
import numpy as np

from facecv.core.arrays import Pixels
from facecv.core.paired import Action, Clock, paired_seconds
from facecv.core.ports.detector import Detector, DetectorOptions
from facecv.core.ports.embedder import Embedder
from facecv.core.ports.face_aligner import FaceAligner
from facecv.core.services.cuts import Cuts
from facecv.core.services.variants import compare_detectors, compare_embedders

LEAST_COSINE = 0.99
"""A candidate whose embeddings agree less with those of the first one cannot win."""

LEAST_OVERLAP = 0.9
"""Nor one whose boxes do."""

WORTH_IT = 0.05
"""Share of the time that a change must save; less is as likely noise."""


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
        cosine: mean agreement of its embeddings with those of the first candidate, -1..1.
        overlap: mean agreement of its boxes with those of the first candidate (IoU), 0..1.
        same_space: whether its embeddings can be compared with those of the first candidate.
        samples: faces of the picture that the cosine is of; 0: there are none, it is of made-up
            crops, with which few bits do worse than with faces.
    """

    settings: Mapping[str, Any]
    detect: float
    embed: Mapping[int, float]
    cosine: float
    overlap: float
    same_space: bool
    samples: int = 0

    @property
    def batch(self) -> int:
        """The smallest size of a batch that costs hardly more for each face than the best."""
        least = min(self.embed.values())
        return min(size for size, each in self.embed.items() if each * (1 - WORTH_IT) <= least)

    @property
    def sound(self) -> bool:
        """Whether it may take the place of the first candidate."""
        agrees = self.cosine >= LEAST_COSINE and self.overlap >= LEAST_OVERLAP
        return agrees and self.same_space

    def seconds(self, faces: int) -> float:
        """Return the seconds for a picture of some faces, embedded in batches of at most those."""
        fitting = [each for size, each in self.embed.items() if size <= max(faces, 1)]
        return self.detect + faces * min(fitting or self.embed.values())


def measure(
    candidates: Sequence[Candidate],
    picture: Pixels,
    options: DetectorOptions,
    aligner: FaceAligner,
    *,
    batches: Sequence[int] = (1, 2, 4, 8, 16, 32),
    rounds: int = 7,
    clock: Clock = time.perf_counter,
) -> list[Timing]:
    """Return the median times of each candidate; all take turns, so that noise hits them alike.

    Args:
        candidates: at least one; the first is what the others must agree with.
        picture: uint8 [H, W, 3] BGR, to be searched for faces.
        options: how.
        aligner: cuts them out.
        batches: numbers of faces embedded together.
        rounds: how often each is run, after one run that does not count.
        clock: returns seconds.
    """
    first = candidates[0]
    detect = _medians([_detection(one, picture, options) for one in candidates], rounds, clock)
    embed = {
        size: _medians([_embedding(one, size) for one in candidates], rounds, clock)
        for size in batches
    }
    faces = _faces(first, picture, options, aligner)[: max(batches)]
    crops = faces if len(faces) else _crops(max(batches), first.embedder.input_size)
    return [
        Timing(
            one.settings,
            detect[place],
            {size: seconds[place] / size for size, seconds in embed.items()},
            _cosine(first.embedder, one.embedder, crops),
            compare_detectors(first.detector, one.detector, [picture], options).mean,
            one.embedder.space == first.embedder.space,
            len(faces),
        )
        for place, one in enumerate(candidates)
    ]


def measure_sizes(
    detector: Detector,
    picture: Pixels,
    options: DetectorOptions,
    sizes: Sequence[int],
    rounds: int = 7,
) -> dict[int, float]:
    """Return the median seconds of searching a picture at several input sizes, in turns."""
    actions: dict[int, Action] = {
        size: partial(detector.detect, [picture], attrs.evolve(options, input_size=size))
        for size in sizes
    }
    return {size: median(each) for size, each in paired_seconds(actions, rounds).items()}


def fastest(timings: Sequence[Timing], faces: int) -> Timing:
    """Return the quickest for pictures of some faces, of those that agree with the first.

    The first stays unless another one saves a share of the time that is worth it.
    """
    first, sound = timings[0], [one for one in timings[1:] if one.sound]
    best = min(sound, key=lambda one: one.seconds(faces), default=first)
    return best if best.seconds(faces) < (1 - WORTH_IT) * first.seconds(faces) else first


def _faces(
    one: Candidate, picture: Pixels, options: DetectorOptions, aligner: FaceAligner
) -> Pixels:
    """Return the aligned faces of a picture, uint8 [N, S, S, 3] BGR; N may be 0."""
    found = one.detector.detect([picture], options)[0]
    return Cuts(aligner, [(picture, face) for face in found]).aligned(one.embedder.input_size)


def _crops(count: int, side: int) -> Pixels:
    """Return crops that are no faces, but differ: the time does not depend on what they show."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, 7, 7, 3)).astype(np.uint8)
    return coarse.repeat(-(-side // 7), axis=1).repeat(-(-side // 7), axis=2)[:, :side, :side]


def _detection(one: Candidate, picture: Pixels, options: DetectorOptions) -> Action:
    return partial(one.detector.detect, [picture], options)


def _embedding(one: Candidate, size: int) -> Action:
    return partial(one.embedder.embed, _crops(size, one.embedder.input_size))


def _medians(actions: Sequence[Action], rounds: int, clock: Clock) -> list[float]:
    """Return the median seconds of each action."""
    seconds = paired_seconds(dict(enumerate(actions)), rounds, clock=clock)
    return [median(seconds[place]) for place in range(len(actions))]


def _cosine(first: Embedder, other: Embedder, crops: Pixels) -> float:
    """Return the mean agreement of embeddings; -1 where they cannot be compared."""
    if (first.input_size, first.space.dim) != (other.input_size, other.space.dim):
        return -1.0
    return compare_embedders(first, other, crops).mean
