"""Head pose from five landmarks, on a head that is turned by known angles."""

import numpy as np
import pytest

from facecv.adapters.attributes.landmark_pose import LandmarkPose
from facecv.core.attributes import HeadPose
from facecv.core.face import Detection
from facecv.core.face_view import FaceView
from facecv.core.geometry import Box
from facecv.plugins.contracts.attribute_model import AttributeModelContract
from tests.adapters.attributes.heads import turned
from tests.adapters.attributes.views import view

HEAD = np.array([[-32, -34, 0], [32, -34, 0], [0, -1, 36], [-25, 34, 4], [25, 34, 4]], np.float32)


class TestLandmarkPoseContract(AttributeModelContract):
    @pytest.fixture
    def model(self) -> LandmarkPose:
        return LandmarkPose()


def pose(**angles: float) -> HeadPose:
    """Return what is told about a head turned by `angles`."""
    points = turned(HEAD, **angles)[:, :2] + 200
    (said,) = LandmarkPose().predict([view(landmarks=points)])
    found = said["pose"].value
    assert isinstance(found, HeadPose)
    return found


@pytest.mark.parametrize("angle", [-50, -30, -15, 0, 15, 30, 50])
def test_yaw_follows_the_head(angle: float) -> None:
    """To the right of the picture is above 0, and the other angles hardly change."""
    found = pose(yaw=angle)
    assert found.yaw == pytest.approx(angle, abs=8)
    assert abs(found.pitch) < 8
    assert abs(found.roll) < 1


@pytest.mark.parametrize("angle", [-25, -10, 10, 20])
def test_pitch_follows_the_head(angle: float) -> None:
    """Up is above 0."""
    assert pose(pitch=angle).pitch == pytest.approx(angle, abs=10)


@pytest.mark.parametrize("angle", [-120, -40, 10, 90])
def test_roll_is_that_of_the_eyes(angle: float) -> None:
    """Clockwise is above 0; where the face looks does not depend on it."""
    assert pose(roll=angle).roll == pytest.approx(angle, abs=0.1)
    assert pose(roll=angle, yaw=20).yaw == pytest.approx(20, abs=10)


def test_a_face_without_usable_landmarks_gets_no_pose() -> None:
    """It is left out, not guessed."""
    nowhere = FaceView(Detection(Box(0, 0, 9, 9), 0.9), 100, 100)
    assert LandmarkPose().predict([nowhere, view(landmarks=np.ones((5, 2), np.float32))]) == [
        {},
        {},
    ]
