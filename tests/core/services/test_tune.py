"""The fastest way of running the models, with a clock that the models move themselves."""

from collections.abc import Sequence

import attrs
import numpy as np
import pytest

from facecv.core.arrays import Floats, Pixels
from facecv.core.embedding import EmbeddingSpace
from facecv.core.face import Detection
from facecv.core.geometry import ARCFACE_TEMPLATE, Box
from facecv.core.ports.detector import DetectorOptions
from facecv.core.services.tune import Candidate, Timing, fastest, measure
from tests.fakes.face_aligner import FakeFaceAligner

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
    x: float = 0.0
    landmarks: Floats | None = None

    def detect(
        self, images: Sequence[Pixels], options: DetectorOptions, /
    ) -> list[list[Detection]]:
        self.watch.now += self.seconds
        return [[Detection(Box(self.x, 0, self.x + 10, 10), 0.9, self.landmarks)] for _ in images]


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
    return measured(candidates, watch, batches=(1, 4), rounds=3)


def measured(
    candidates: Sequence[Candidate], watch: Watch, *, batches: Sequence[int] = (1,), rounds: int = 1
) -> list[Timing]:
    return measure(
        candidates,
        PICTURE,
        DetectorOptions(),
        FakeFaceAligner(),
        batches=batches,
        rounds=rounds,
        clock=lambda: watch.now,
    )


def test_each_gets_its_own_times() -> None:
    """Seconds a picture, and seconds a face for each batch."""
    first, second = timings((1.0, 2.0, 1.0, 0.0), (3.0, 0.0, 1.0, 0.0))
    assert (first.detect, second.detect) == pytest.approx((1.0, 3.0))
    assert dict(first.embed) == pytest.approx({1: 3.0, 4: 1.5})
    assert first.batch == 4
    assert second.batch == 1, "more at once saves nothing"


def test_a_picture_of_few_faces_is_embedded_in_small_batches() -> None:
    """It does not have enough faces for the batch that would be best."""
    (one,) = timings((1.0, 2.0, 1.0, 0.0))
    assert one.seconds(2) == pytest.approx(1.0 + 2 * 3.0)
    assert one.seconds(4) == pytest.approx(1.0 + 4 * 1.5)


def test_the_number_of_faces_decides() -> None:
    """One is quick to find, the other quick to embed."""
    found = timings((1.0, 0.0, 2.0, 0.0), (3.0, 0.0, 0.5, 0.0))
    assert fastest(found, faces=0).settings == {"n": 0}
    assert fastest(found, faces=4).settings == {"n": 1}


def test_the_present_way_stays_for_a_small_gain() -> None:
    """Three per cent are as likely noise; ten are not."""
    assert fastest(timings((1.0, 0.0, 0.0, 0.0), (0.97, 0.0, 0.0, 0.0)), 0).settings == {"n": 0}
    assert fastest(timings((1.0, 0.0, 0.0, 0.0), (0.9, 0.0, 0.0, 0.0)), 0).settings == {"n": 1}


def against(detector: SlowDetector, embedder: SlowEmbedder) -> Timing:
    """Return the timing of a way that is quick, beside one that is slow."""
    watch = detector.watch
    slow = Candidate({"n": 0}, SlowDetector(watch, 9.0), SlowEmbedder(watch, 9.0, 0.0))
    quick = Candidate({"n": 1}, detector, embedder)
    found = measured([slow, quick], watch)
    assert fastest(found, 1) is found[1 if found[1].sound else 0]
    return found[1]


def test_other_boxes_cannot_win() -> None:
    """However quick they are found."""
    watch = Watch()
    timing = against(SlowDetector(watch, 0.1, x=5), SlowEmbedder(watch, 0.1, 0.0))
    assert timing.overlap == pytest.approx(1 / 3)
    assert not timing.sound


def test_another_space_cannot_win() -> None:
    """Collections are bound to theirs, even if the vectors are nearly the same."""
    watch = Watch()
    int8 = attrs.evolve(SPACE, model="slow-int8", digest="1" * 64)
    embedder = SlowEmbedder(watch, 0.1, 0.0, space=int8)
    timing = against(SlowDetector(watch, 0.1), embedder)
    assert timing.cosine == pytest.approx(1)
    assert not timing.sound
    assert against(SlowDetector(watch, 0.1), attrs.evolve(embedder, space=SPACE)).sound


class Brightness(SlowEmbedder):
    """Turns by `turn` where a crop is bright."""

    def embed(self, crops: Pixels, /) -> tuple[Floats, Floats]:
        turns = self.turn * (crops.mean(axis=(1, 2, 3)) > 0)
        vectors = np.stack([np.cos(turns), np.sin(turns)], axis=1).astype(np.float32)
        return vectors, np.ones(len(crops), np.float32)


@pytest.mark.parametrize(("landmarks", "samples"), [(ARCFACE_TEMPLATE / 14, 1), (None, 0)])
def test_embeddings_are_compared_on_faces_of_the_picture(
    landmarks: Floats | None, samples: int
) -> None:
    """The picture is black, what is made up where it shows no face is not."""
    watch = Watch()
    detector = SlowDetector(watch, 1.0, landmarks=landmarks)
    embedders = [Brightness(watch, 1.0, 0.0, turn) for turn in (0.0, 0.5)]
    ways = [Candidate({}, detector, embedder) for embedder in embedders]
    found = measured(ways, watch)
    assert [one.samples for one in found] == [samples, samples]
    assert found[1].cosine == pytest.approx(1.0 if samples else np.cos(0.5), abs=1e-5)


def test_who_disagrees_cannot_win() -> None:
    """A cosine below 0.99 to the first is another answer, however quick."""
    found = timings((1.0, 0.0, 1.0, 0.0), (0.1, 0.0, 0.1, 0.2))
    assert found[1].cosine == pytest.approx(np.cos(0.2), abs=1e-5)
    assert fastest(found, faces=1).settings == {"n": 0}
