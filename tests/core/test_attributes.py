"""What attribute models say, and what they look at."""

import json

import attrs
import numpy as np
import pytest

from facecv.core.attributes import AttributeValue, BoxCropNeed, HeadPose, LandmarkSet
from facecv.core.errors import InputError
from facecv.core.geometry import Box

BOX = Box(40, 30, 60, 70)


class TestPlain:
    """Values as JSON has them."""

    @pytest.mark.parametrize("value", ["happy", 31.5, True])
    def test_words_and_numbers_are_themselves(self, value: str | float | bool) -> None:
        assert AttributeValue(value).plain() == value

    def test_a_pose_is_an_object(self) -> None:
        plain = AttributeValue(HeadPose(1.234, -5, 0)).plain()
        assert plain == {"yaw": 1.23, "pitch": -5.0, "roll": 0.0}

    def test_landmarks_are_lists(self) -> None:
        points = np.array([[1.006, 2], [3, 4.5]], np.float32)
        assert AttributeValue(LandmarkSet(points)).plain() == [[1.01, 2.0], [3.0, 4.5]]


class TestJson:
    """All of a statement, and back."""

    @pytest.mark.parametrize(
        "said",
        [
            AttributeValue("happy", 0.75, {"happy": 0.75, "sad": 0.25}, "moods"),
            AttributeValue(31.5, model="ages"),
            AttributeValue(True),
            AttributeValue("rejected", model="liveness", reason="too dark"),
            AttributeValue(HeadPose(1.25, -5, 0), model="poses"),
            AttributeValue(LandmarkSet(np.array([[1, 2, 3], [4, 5, 6.5]])), model="points"),
        ],
        ids=["class", "number", "truth", "reason", "pose", "points"],
    )
    def test_comes_back_as_it_was(self, said: AttributeValue) -> None:
        assert AttributeValue.from_json(json.loads(json.dumps(said.as_json()))) == said

    def test_holds_only_what_there_is(self) -> None:
        assert AttributeValue(31.5, model="ages").as_json() == {"value": 31.5, "model": "ages"}
        shares = AttributeValue("a", 0.66667, {"a": 0.66667, "b": 0.33333}).as_json()
        assert (shares["score"], shares["probabilities"]["b"]) == (0.6667, 0.3333)


class TestLandmarkSet:
    def test_keeps_points_of_two_or_three_numbers_that_nobody_can_change(self) -> None:
        for axes in (2, 3):
            points = np.zeros((5, axes))
            kept = LandmarkSet(points).points
            points[0] = 9
            assert kept.dtype == np.float32
            assert kept.shape == (5, axes)
            assert not kept.any()
            with pytest.raises(ValueError, match="read-only"):
                kept[0] = 1

    @pytest.mark.parametrize("shape", [(5,), (5, 4), (2, 5, 2)])
    def test_refuses_other_shapes(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(InputError, match="shape"):
            LandmarkSet(np.zeros(shape))

    def test_equal_points_are_equal(self) -> None:
        assert LandmarkSet(np.ones((2, 2))) == LandmarkSet(np.ones((2, 2)))
        assert LandmarkSet(np.ones((2, 2))) != LandmarkSet(np.zeros((2, 2)))


class TestRegion:
    """What is cut out around a face box."""

    def test_a_square_around_the_centre_may_hang_over(self) -> None:
        region = BoxCropNeed(80, 2.0).region(BOX, 100, 100)
        assert region == Box(10, 10, 90, 90)
        assert BoxCropNeed(80, 3.0).region(BOX, 100, 100) == Box(-10, -10, 110, 110)

    def test_inside_keeps_the_shape_of_the_box(self) -> None:
        region = BoxCropNeed(80, 2.0, inside=True).region(BOX, 100, 100)
        assert region == Box(30, 10, 70, 90)

    @pytest.mark.parametrize(
        ("box", "region"),
        [
            (Box(0, 0, 20, 40), Box(0, 0, 40, 80)),
            (Box(80, 60, 100, 100), Box(60, 20, 100, 100)),
            (Box(-10, 30, 10, 70), Box(0, 10, 40, 90)),
        ],
    )
    def test_inside_is_shifted_to_the_picture(self, box: Box, region: Box) -> None:
        assert BoxCropNeed(80, 2.0, inside=True).region(box, 100, 100) == region

    def test_inside_grows_no_further_than_the_picture(self) -> None:
        region = BoxCropNeed(80, 9.0, inside=True).region(BOX, 100, 100)
        assert region == Box(25, 0, 75, 100)

    def test_a_box_larger_than_the_picture_is_shrunk(self) -> None:
        region = BoxCropNeed(80, 2.7, inside=True).region(Box(-50, -50, 150, 150), 100, 50)
        assert region == Box(25, 0, 75, 50)

    def test_a_box_of_no_size_is_cut_without_an_error(self) -> None:
        for inside in (False, True):
            need = BoxCropNeed(80, 2.7, inside=inside)
            assert need.region(Box(5, 5, 5, 5), 100, 50).area == 0


def test_needs_can_be_told_apart() -> None:
    """They are keys of the cache of crops."""
    assert len({BoxCropNeed(80), BoxCropNeed(80, 2.0), BoxCropNeed(80, inside=True)}) == 3
    assert attrs.evolve(BoxCropNeed(80)) == BoxCropNeed(80)
