"""How far the answers of two networks agree."""

from collections.abc import Sequence

import attrs
import numpy as np
import pytest

from facecv.core.arrays import Floats, Pixels
from facecv.core.embedding import EmbeddingSpace
from facecv.core.face import Detection
from facecv.core.geometry import Box
from facecv.core.ports.detector import DetectorOptions
from facecv.core.services.variants import compare_detectors, compare_embedders

SPACE = EmbeddingSpace("turns", 2, "0" * 64, "none")
PICTURE = np.zeros((100, 100, 3), np.uint8)


@attrs.frozen
class Finds:
    """Finds faces at these places from the left, 10 pixels wide, with these scores."""

    faces: Sequence[tuple[float, float]]

    def detect(
        self, images: Sequence[Pixels], options: DetectorOptions, /
    ) -> list[list[Detection]]:
        found = [Detection(Box(x, 0, x + 10, 10), score) for x, score in self.faces]
        return [found for _ in images]


@attrs.frozen
class Turns:
    """Embeds each crop at an angle: of its first pixel, and a little more."""

    more: float
    space: EmbeddingSpace = SPACE
    input_size: int = 4

    def embed(self, crops: Pixels, /) -> tuple[Floats, Floats]:
        angles = crops[:, 0, 0, 0].astype(float) * (1 + self.more)
        vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
        return vectors, np.ones(len(crops), np.float32)


def overlap(first: Sequence[tuple[float, float]], second: Sequence[tuple[float, float]]) -> float:
    return compare_detectors(Finds(first), Finds(second), [PICTURE], DetectorOptions()).mean


class TestDetectors:
    @pytest.mark.parametrize(
        ("first", "second", "expected"),
        [
            ([(0, 0.9)], [(0, 0.8)], 1),
            ([(0, 0.9)], [(5, 0.9)], 1 / 3),
            ([(0, 0.9), (50, 0.9)], [(0, 0.9)], 1 / 2),
            ([(0, 0.9)], [(0, 0.9), (50, 0.9)], 1 / 2),
            ([(0, 0.9), (50, 0.55)], [(0, 0.9)], 1),
            ([], [], 1),
        ],
        ids=["same", "shifted", "missed", "invented", "at the threshold", "none"],
    )
    def test_boxes(
        self,
        first: Sequence[tuple[float, float]],
        second: Sequence[tuple[float, float]],
        expected: float,
    ) -> None:
        assert overlap(first, second) == pytest.approx(expected)


class TestEmbedders:
    def test_cosines(self) -> None:
        """The mean and the least, over faces."""
        crops = np.zeros((2, 4, 4, 3), np.uint8)
        crops[1] = 1
        found = compare_embedders(Turns(0), Turns(0.5), crops)
        assert (found.measure, found.samples) == ("cosine", 2)
        assert found.least == pytest.approx(np.cos(0.5), abs=1e-6)
        assert found.mean == pytest.approx((1 + np.cos(0.5)) / 2, abs=1e-6)
