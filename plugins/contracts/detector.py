"""What every detector promises."""

import attrs
import numpy as np
import pytest

from facecv.core.arrays import Pixels
from facecv.core.errors import InputError
from facecv.core.ports.detector import Detector, DetectorOptions


class DetectorContract:
    """Override `detector`, and `picture` with one in which it finds at least one face."""

    @pytest.fixture
    def detector(self) -> Detector:
        """Return the detector under test."""
        raise NotImplementedError

    @pytest.fixture
    def picture(self) -> Pixels:
        """Return a picture with a face, uint8 [H, W, 3] BGR."""
        raise NotImplementedError

    @pytest.fixture
    def options(self) -> DetectorOptions:
        """Return the options under which the face is found."""
        return DetectorOptions()

    def test_finds_the_face(
        self, detector: Detector, picture: Pixels, options: DetectorOptions
    ) -> None:
        """There is a detection, inside the picture for the most part."""
        (found,) = detector.detect([picture], options)
        assert found
        height, width = picture.shape[:2]
        for face in found:
            assert face.box.clipped(width, height).area > 0.5 * face.box.area

    def test_no_pictures_give_no_lists(self, detector: Detector, options: DetectorOptions) -> None:
        """An empty batch is fine."""
        assert detector.detect([], options) == []

    def test_one_list_a_picture_in_order(
        self, detector: Detector, picture: Pixels, options: DetectorOptions
    ) -> None:
        """Pictures of different sizes do not influence one another."""
        empty = np.zeros((50, 90, 3), np.uint8)
        first, none, last = detector.detect([picture, empty, picture], options)
        assert none == []
        assert [one.box for one in first] == [one.box for one in last]
        (alone,) = detector.detect([picture], options)
        np.testing.assert_allclose(first[0].box.as_tuple(), alone[0].box.as_tuple(), atol=0.01)

    def test_scores_fall_and_reach_the_threshold(
        self, detector: Detector, picture: Pixels, options: DetectorOptions
    ) -> None:
        """Scores are probabilities, sorted, none below the threshold."""
        loose = attrs.evolve(options, score_threshold=0.05)
        (found,) = detector.detect([picture], loose)
        scores = [face.score for face in found]
        assert scores == sorted(scores, reverse=True)
        assert all(0.05 <= score <= 1.0 for score in scores)

    def test_a_threshold_that_nothing_reaches(
        self, detector: Detector, picture: Pixels, options: DetectorOptions
    ) -> None:
        """No face is a value, not an error."""
        assert detector.detect([picture], attrs.evolve(options, score_threshold=1.0)) == [[]]

    def test_overlapping_detections_are_one(
        self, detector: Detector, picture: Pixels, options: DetectorOptions
    ) -> None:
        """No two boxes overlap by more than the threshold."""
        (found,) = detector.detect([picture], options)
        for index, one in enumerate(found):
            for other in found[index + 1 :]:
                assert one.box.iou(other.box) <= options.nms_threshold + 1e-4

    def test_the_picture_stays_as_it_is(
        self, detector: Detector, picture: Pixels, options: DetectorOptions
    ) -> None:
        """A read-only picture is fine, and nothing is drawn into it."""
        before = picture.copy()
        picture.flags.writeable = False
        detector.detect([picture], options)
        np.testing.assert_array_equal(picture, before)

    def test_a_view_of_a_larger_array_is_a_picture(
        self, detector: Detector, picture: Pixels, options: DetectorOptions
    ) -> None:
        """Pixels need not lie side by side in memory."""
        wide = np.ascontiguousarray(np.concatenate([picture, picture], axis=1))
        (plain,), (view,) = (
            detector.detect([pixels], options) for pixels in (picture, wide[:, : picture.shape[1]])
        )
        assert [one.box for one in plain] == [one.box for one in view]

    def test_something_else_than_a_picture(
        self, detector: Detector, options: DetectorOptions
    ) -> None:
        """Wrong types and shapes are refused with our own error."""
        with pytest.raises(InputError):
            detector.detect([np.zeros((8, 8), np.uint8)], options)
