"""The fastest way of running the models, with a clock that the models move themselves."""

from collections.abc import Sequence

import attrs
import numpy as np
import pytest

from facecv.core.arrays import Floats, Pixels
from facecv.core.embedding import EmbeddingSpace
from facecv.core.face import Detection
from facecv.core.ports.detector import DetectorOptions
from facecv.core.services.tune import Candidate, Timing, fastest, measure

SPACE = EmbeddingSpace("slow", 2, "0" * 64, "none")
PICTURE = np.zeros((8, 8, 3), np.uint8)


@attrs.define
class Watch:
    """A clock; whoever works moves it on."""

    now: float = 0.0


@attrs.define
class SlowDetector:
    watch: Watch
    seconds: float

    def detect(
        self, images: Sequence[Pixels], options: DetectorOptions, /
    ) -> list[list[Detection]]:
        self.watch.now += self.seconds
        return [[] for _ in images]


@attrs.define
class SlowEmbedder:
    """Takes `start` for a run and `each` for a crop; `turn` mixes another direction in."""

    watch: Watch
    start: float
    each: float
    turn: float = 0.0
    space: EmbeddingSpace = SPACE
    input_size: int = 16

    def embed(self, crops: Pixels, /) -> tuple[Floats, Floats]:
        self.watch.now += self.start + self.each * len(crops)
        vector = np.array([np.cos(self.turn), np.sin(self.turn)], np.float32)
        return np.tile(vector, (len(crops), 1)), np.ones(len(crops), np.float32)


def timings(*ways: tuple[float, float, float, float]) -> list[Timing]:
    """Return the timings of candidates: detection, start and cost of a face, turn."""
    watch = Watch()
    candidates = [
        Candidate({"n": n}, SlowDetector(watch, detect), SlowEmbedder(watch, start, each, turn))
        for n, (detect, start, each, turn) in enumerate(ways)
    ]
    return measure(
        candidates, PICTURE, DetectorOptions(), batches=(1, 4), rounds=3, clock=lambda: watch.now
    )


def test_each_gets_its_own_times() -> None:
    """Seconds a picture, and seconds a face for each batch."""
    first, second = timings((1.0, 2.0, 1.0, 0.0), (3.0, 0.0, 1.0, 0.0))
    assert (first.detect, second.detect) == pytest.approx((1.0, 3.0))
    assert dict(first.embed) == pytest.approx({1: 3.0, 4: 1.5})
    assert first.batch == 4
    assert first.seconds(2) == pytest.approx(1.0 + 2 * 1.5)


def test_the_number_of_faces_decides() -> None:
    """One is quick to find, the other quick to embed."""
    found = timings((1.0, 0.0, 2.0, 0.0), (3.0, 0.0, 0.5, 0.0))
    assert fastest(found, faces=0).settings == {"n": 0}
    assert fastest(found, faces=4).settings == {"n": 1}


def test_who_disagrees_cannot_win() -> None:
    """A cosine below 0.99 to the first is another answer, however quick."""
    found = timings((1.0, 0.0, 1.0, 0.0), (0.1, 0.0, 0.1, 0.2))
    assert found[1].cosine == pytest.approx(np.cos(0.2), abs=1e-5)
    assert fastest(found, faces=1).settings == {"n": 0}
