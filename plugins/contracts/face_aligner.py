"""Promises of `facecv.core.ports.face_aligner`."""

import numpy as np
import pytest

from facecv.core.arrays import Pixels
from facecv.core.errors import InputError
from facecv.core.geometry import ARCFACE_TEMPLATE, Box
from facecv.core.ports.face_aligner import FaceAligner


def _picture(width: int = 160, height: int = 144) -> Pixels:
    """Return a picture whose channels say where a pixel is: x, y and a constant."""
    picture = np.empty((height, width, 3), dtype=np.uint8)
    picture[..., 0] = np.arange(width)
    picture[..., 1] = np.arange(height)[:, None]
    picture[..., 2] = 200
    return picture


def _close(one: Pixels, other: Pixels, tolerance: int = 1) -> bool:
    return bool(np.abs(one.astype(np.int16) - other.astype(np.int16)).max() <= tolerance)


class FaceAlignerContract:
    """Subclass this and override `aligner`."""

    @pytest.fixture
    def aligner(self) -> FaceAligner:
        """Return the implementation under test."""
        raise NotImplementedError

    def test_landmarks_on_the_template_cut_out_the_picture_itself(
        self, aligner: FaceAligner
    ) -> None:
        """The identity transform copies pixels."""
        picture = _picture()
        crops = aligner.align(picture, [ARCFACE_TEMPLATE], 112)
        assert crops.shape == (1, 112, 112, 3)
        assert crops.dtype == np.uint8
        assert _close(crops[0], picture[:112, :112])

    def test_a_shifted_face_is_shifted_back(self, aligner: FaceAligner) -> None:
        """Crops come from where the landmarks are."""
        picture = _picture()
        shift = np.array([30, 20], dtype=np.float32)
        crops = aligner.align(picture, [ARCFACE_TEMPLATE + shift], 112)
        assert _close(crops[0], picture[20:132, 30:142])

    def test_a_face_upside_down_is_turned_upright(self, aligner: FaceAligner) -> None:
        """Rotation is undone."""
        picture = _picture(113, 113)
        crops = aligner.align(picture, [112 - ARCFACE_TEMPLATE], 112)
        assert _close(crops[0], picture[::-1, ::-1][:112, :112])

    def test_the_size_of_crops_is_as_asked(self, aligner: FaceAligner) -> None:
        """A crop of twice the size shows the same face."""
        picture = _picture()
        crops = aligner.align(picture, [ARCFACE_TEMPLATE], 224)
        assert crops.shape == (1, 224, 224, 3)
        assert _close(crops[0][::2, ::2], picture[:112, :112])

    def test_crops_are_in_the_order_of_the_faces(self, aligner: FaceAligner) -> None:
        """The first crop is of the first face."""
        shift = np.array([40, 0], dtype=np.float32)
        picture = _picture()
        crops = aligner.align(picture, [ARCFACE_TEMPLATE + shift, ARCFACE_TEMPLATE], 112)
        assert crops[0, 50, 50, 0] == pytest.approx(90, abs=1)
        assert crops[1, 50, 50, 0] == pytest.approx(50, abs=1)

    def test_outside_of_the_picture_is_black(self, aligner: FaceAligner) -> None:
        """A face that leaves the picture keeps its place in the crop."""
        shift = np.array([-56, 0], dtype=np.float32)
        crop = aligner.align(_picture(), [ARCFACE_TEMPLATE + shift], 112)[0]
        assert not crop[:, :55].any()
        assert crop[:, 57:, 2].min() >= 199

    def test_no_faces_are_no_crops(self, aligner: FaceAligner) -> None:
        """Empty in, empty out, with the right shape."""
        assert aligner.align(_picture(), [], 112).shape == (0, 112, 112, 3)
        assert aligner.crop(_picture(), [], 64).shape == (0, 64, 64, 3)

    def test_landmarks_on_one_point_are_refused(self, aligner: FaceAligner) -> None:
        """There is no transform to find."""
        with pytest.raises(InputError):
            aligner.align(_picture(), [np.full((5, 2), 7, dtype=np.float32)], 112)

    def test_a_box_is_scaled_to_a_square(self, aligner: FaceAligner) -> None:
        """Both axes of a box fill the crop."""
        crop = aligner.crop(_picture(), [Box(10, 20, 110, 70)], 50)[0]
        assert crop.shape == (50, 50, 3)
        assert crop[0, 0, :2] == pytest.approx([10, 20], abs=1)
        assert crop[25, 25, :2] == pytest.approx([60, 45], abs=1)

    def test_a_box_outside_of_the_picture_is_black(self, aligner: FaceAligner) -> None:
        """Boxes may lie anywhere."""
        assert not aligner.crop(_picture(), [Box(500, 500, 600, 600)], 32).any()

    def test_an_empty_box_does_not_fail(self, aligner: FaceAligner) -> None:
        """A box without area is a value like any other."""
        assert aligner.crop(_picture(), [Box(10, 10, 10, 10)], 32).shape == (1, 32, 32, 3)

    def test_the_picture_is_left_untouched(self, aligner: FaceAligner) -> None:
        """Read-only pictures will do."""
        picture = _picture()
        picture.flags.writeable = False
        aligner.align(picture, [ARCFACE_TEMPLATE], 112)
        aligner.crop(picture, [Box(0, 0, 50, 50)], 32)
