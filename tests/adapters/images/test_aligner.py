"""Cutting faces out with OpenCV, and with the fake."""

import cv2
import numpy as np
import pytest

from facecv.adapters.images.aligner import OpenCVAligner
from facecv.core.arrays import Floats, Pixels
from facecv.core.geometry import ARCFACE_TEMPLATE, Box, arcface_transform
from facecv.core.ports.face_aligner import FaceAligner
from facecv.plugins.contracts.face_aligner import FaceAlignerContract
from tests.fakes.face_aligner import FakeFaceAligner


class TestOpenCVAligner(FaceAlignerContract):
    @pytest.fixture
    def aligner(self) -> FaceAligner:
        return OpenCVAligner()


class TestFakeFaceAligner(FaceAlignerContract):
    @pytest.fixture
    def aligner(self) -> FaceAligner:
        return FakeFaceAligner()


@pytest.fixture
def noise() -> Pixels:
    return np.random.default_rng(1).integers(0, 256, (480, 640, 3), dtype=np.uint8)


def _face_at(x: float, y: float, scale: float, degrees: float) -> Floats:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points: Floats = ((ARCFACE_TEMPLATE - 56) * scale @ turn.T + [x, y]).astype(np.float32)
    return points


class TestSampling:
    @pytest.mark.parametrize("scale", [0.4, 1.0, 3.7])
    def test_crops_are_those_of_one_plain_warp(self, noise: Pixels, scale: float) -> None:
        """The insightface package warps the whole picture in one bilinear step; so do we."""
        points = _face_at(300, 200, scale, 17)
        expected = cv2.warpAffine(noise, arcface_transform(points), (112, 112), borderValue=0.0)
        assert np.array_equal(OpenCVAligner().align(noise, [points], 112)[0], expected)

    def test_views_of_arrays_will_do(self, noise: Pixels) -> None:
        """Only the part that is looked at is copied, which rounds a little differently."""
        points = _face_at(300, 200, 1.5, 0)
        mirrored = noise[:, ::-1]
        expected = OpenCVAligner().align(mirrored.copy(), [points], 112)
        found = OpenCVAligner().align(mirrored, [points], 112)
        assert np.abs(found.astype(int) - expected.astype(int)).max() <= 2

    @pytest.mark.parametrize("x", [200.0, 39_900.0, 50_000.0])
    def test_pictures_wider_than_opencv_takes(self, noise: Pixels, x: float) -> None:
        """A panorama's crop is the crop of the part that it shows."""
        panorama = np.zeros((300, 40_000, 3), dtype=np.uint8)
        panorama[:, :400], panorama[:, -400:] = noise[:300, :400], noise[:300, -400:]
        part = panorama[:, :400] if x < 400 else panorama[:, -400:]
        offset = 0 if x < 400 else 39_600
        wide = OpenCVAligner().align(panorama, [_face_at(x, 150, 1.3, 9)], 112)
        near = OpenCVAligner().align(part.copy(), [_face_at(x - offset, 150, 1.3, 9)], 112)
        assert np.abs(wide.astype(int) - near.astype(int)).max() <= 2

    def test_a_box_larger_than_a_panorama_does_not_fail(self) -> None:
        panorama = np.full((10, 40_000, 3), 255, dtype=np.uint8)
        assert OpenCVAligner().crop(panorama, [Box(-5, -5, 40_005, 15)], 64).any()
