"""Boxes, non-maximum suppression and alignment."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from facecv.core.arrays import Floats
from facecv.core.errors import InputError
from facecv.core.geometry import (
    ARCFACE_TEMPLATE,
    Box,
    arcface_transform,
    nms,
    similarity_transform,
)

coordinates = st.floats(-2000, 2000, width=32)
points = arrays(np.float32, (5, 2), elements=coordinates)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x1, x2 = sorted([draw(coordinates), draw(coordinates)])
    y1, y2 = sorted([draw(coordinates), draw(coordinates)])
    return Box(x1, y1, x2, y2)


def _umeyama(source: Floats, target: Floats) -> NDArray[np.float64]:
    """Return the similarity as the paper finds it: by a singular value decomposition."""
    src, dst = source.astype(np.float64), target.astype(np.float64)
    src_centred, dst_centred = src - src.mean(axis=0), dst - dst.mean(axis=0)
    left, singular, right = np.linalg.svd(dst_centred.T @ src_centred / len(src))
    signs = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    scale = (singular * signs).sum() / src_centred.var(axis=0).sum()
    linear = scale * left @ np.diag(signs) @ right
    return np.column_stack([linear, dst.mean(axis=0) - linear @ src.mean(axis=0)])


def _apply(matrix: NDArray[np.float64], source: Floats) -> NDArray[np.float64]:
    return source.astype(np.float64) @ matrix[:, :2].T + matrix[:, 2]


class TestBox:
    def test_sides_area_and_centre(self) -> None:
        box = Box(1, 2, 5, 10)
        assert (box.width, box.height, box.area, box.center) == (4, 8, 32, (3, 6))

    @pytest.mark.parametrize(
        "corners", [(5, 0, 4, 9), (0, 5, 9, 4), (math.nan, 0, 1, 1), (0, 0, math.inf, 1)]
    )
    def test_what_is_no_box_is_refused(self, corners: tuple[float, ...]) -> None:
        with pytest.raises(InputError, match="not a box"):
            Box(*corners)

    def test_clipping_keeps_the_part_inside(self) -> None:
        assert Box(-5, 3, 50, 90).clipped(40, 60) == Box(0, 3, 40, 60)
        assert Box(-9, -9, -5, -5).clipped(40, 60).area == 0

    def test_moving(self) -> None:
        assert Box(1, 2, 3, 4).moved(10, -2) == Box(11, 0, 13, 2)

    def test_numbers_become_floats(self) -> None:
        box = Box(*np.array([1, 2, 3, 4], dtype=np.float32))
        assert all(type(value) is float for value in box.as_tuple())

    def test_overlap_of_known_boxes(self) -> None:
        assert Box(0, 0, 2, 2).iou(Box(1, 0, 3, 2)) == pytest.approx(1 / 3)
        assert Box(0, 0, 2, 2).iou(Box(2, 0, 4, 2)) == 0.0

    @given(boxes(), boxes())
    def test_overlap_is_symmetric_and_from_0_to_1(self, one: Box, other: Box) -> None:
        assert 0.0 <= one.iou(other) <= 1.0 + 1e-9
        assert one.iou(other) == pytest.approx(other.iou(one))

    @given(boxes())
    def test_a_box_overlaps_itself_fully(self, box: Box) -> None:
        assume(box.area > 1e-6)
        assert box.iou(box) == pytest.approx(1.0)


class TestNms:
    @staticmethod
    def _one_by_one(boxes: Floats, scores: Floats, threshold: float) -> list[int]:
        kept: list[int] = []
        for index in np.argsort(-scores, kind="stable").tolist():
            overlaps = (Box(*boxes[index]).iou(Box(*boxes[other])) for other in kept)
            if all(overlap <= threshold for overlap in overlaps):
                kept.append(index)
        return kept

    @pytest.mark.parametrize("count", [0, 1, 2, 60, 300])
    @pytest.mark.parametrize("threshold", [0.0, 0.31, 0.4, 1.0])
    def test_it_keeps_what_the_plain_loop_keeps(self, count: int, threshold: float) -> None:
        random = np.random.default_rng(count)
        corners = random.uniform(0, 8 * count**0.5, (count, 2))
        boxes = np.hstack([corners, corners + random.uniform(5, 40, (count, 2))]).astype(np.float32)
        scores = random.uniform(0, 1, count).astype(np.float32)
        expected = self._one_by_one(boxes, scores, threshold)
        assert nms(boxes, scores, threshold).tolist() == expected

    def test_equal_scores_keep_their_order(self) -> None:
        boxes = np.array([[0, 0, 1, 1], [5, 5, 6, 6], [0, 0, 1, 1]], dtype=np.float32)
        assert nms(boxes, np.ones(3, dtype=np.float32), 0.4).tolist() == [0, 1]


class TestSimilarity:
    @given(points, points)
    def test_it_is_the_least_squares_similarity(self, source: Floats, target: Floats) -> None:
        """The closed form in two dimensions gives Umeyama's numbers."""
        assume(np.ptp(source, axis=0).max() > 1)
        expected = _umeyama(source, target)
        assume(np.hypot(*expected[0, :2]) > 1e-3)
        found = similarity_transform(source, target)
        assert _apply(found, source) == pytest.approx(_apply(expected, source), abs=1e-4)

    @given(
        st.floats(0.05, 20),
        st.floats(-math.pi, math.pi),
        coordinates,
        coordinates,
    )
    def test_a_similarity_is_found_again(
        self, scale: float, angle: float, dx: float, dy: float
    ) -> None:
        cos, sin = scale * math.cos(angle), scale * math.sin(angle)
        matrix = np.array([[cos, -sin, dx], [sin, cos, dy]])
        target = _apply(matrix, ARCFACE_TEMPLATE)
        found = similarity_transform(ARCFACE_TEMPLATE, target.astype(np.float32))
        assert _apply(found, ARCFACE_TEMPLATE) == pytest.approx(target, abs=2e-3)

    def test_a_mirrored_face_is_not_mirrored_back(self) -> None:
        mirrored = ARCFACE_TEMPLATE * np.array([-1, 1], dtype=np.float32)
        matrix = similarity_transform(mirrored, ARCFACE_TEMPLATE)
        assert np.linalg.det(matrix[:, :2]) > 0

    @pytest.mark.parametrize("value", [0.0, 7.0, math.nan, math.inf])
    def test_one_point_five_times_is_refused(self, value: float) -> None:
        with pytest.raises(InputError, match="aligned"):
            similarity_transform(np.full((5, 2), value, dtype=np.float32), ARCFACE_TEMPLATE)


class TestArcFace:
    def test_the_template_stays_where_it_is(self) -> None:
        matrix = arcface_transform(ARCFACE_TEMPLATE)
        assert matrix == pytest.approx(np.array([[1, 0, 0], [0, 1, 0]]), abs=1e-5)

    @pytest.mark.parametrize(
        ("size", "scale", "shift"), [(112, 1, 0), (224, 2, 0), (128, 1, 8), (256, 2, 16)]
    )
    def test_larger_crops(self, size: int, scale: float, shift: float) -> None:
        """Sizes divisible by 128 are 8/128 wider on either side, as the family is trained."""
        landed = _apply(arcface_transform(ARCFACE_TEMPLATE, size), ARCFACE_TEMPLATE)
        assert landed == pytest.approx(ARCFACE_TEMPLATE * scale + [shift, 0], abs=1e-3)

    @settings(deadline=None)  # the first call imports a large package
    @given(points)
    def test_the_numbers_are_those_of_scikit_image(self, landmarks: Floats) -> None:
        """The insightface package aligns with scikit-image; needs the extra ``demo``."""
        transform = pytest.importorskip("skimage.transform")
        assume(np.ptp(landmarks, axis=0).max() > 1)
        other = transform.SimilarityTransform.from_estimate(landmarks, ARCFACE_TEMPLATE)
        assume(bool(other) and other.scale > 1e-3)
        found = _apply(arcface_transform(landmarks), landmarks)
        assert found == pytest.approx(_apply(other.params[:2], landmarks), abs=1e-4)

    def test_the_template_cannot_be_changed(self) -> None:
        with pytest.raises(ValueError, match="read-only"):
            ARCFACE_TEMPLATE[0, 0] = 0
