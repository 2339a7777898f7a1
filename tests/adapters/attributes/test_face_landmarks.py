"""Dense landmarks, on small networks of the published signatures."""

from pathlib import Path

import numpy as np
import pytest

from facecv.adapters.attributes.face_landmarks import Landmarks68, Landmarks106
from facecv.core.attributes import BoxCropNeed, HeadPose, LandmarkSet
from facecv.core.errors import ModelSignatureError
from facecv.core.geometry import Box
from facecv.plugins.contracts.attribute_model import AttributeModelContract
from tests import graphs
from tests.adapters.attributes.loading import opened
from tests.adapters.attributes.views import view

CROP = np.zeros((192, 192, 3), np.uint8)


def landmarks_106(folder: Path, points: np.ndarray | None = None) -> Landmarks106:
    """Return a model that finds `points` [106, 2], -1 to 1, moved by red / 255 to the right."""
    matrix = np.zeros((3, 212))
    matrix[0, ::2] = 1 / 255
    bias = np.zeros(212) if points is None else points.ravel()
    model = graphs.linear(folder, "2d106det", matrix, bias, side=192)
    return Landmarks106(opened(model), model)


def landmarks_68(folder: Path, points: np.ndarray | None = None) -> Landmarks68:
    """Return a model whose last 68 of 1,103 points [68, 3] are `points`, -1 to 1."""
    bias = np.full((1103, 3), 9.0)
    bias[-68:] = 0 if points is None else points
    model = graphs.linear(folder, "1k3d68", np.zeros((3, 3309)), bias.ravel(), side=192, batch=1)
    return Landmarks68(opened(model), model)


class TestLandmarks106Contract(AttributeModelContract):
    @pytest.fixture
    def model(self, tmp_path: Path) -> Landmarks106:
        return landmarks_106(tmp_path)


class TestLandmarks68Contract(AttributeModelContract):
    @pytest.fixture
    def model(self, tmp_path: Path) -> Landmarks68:
        return landmarks_68(tmp_path)


def test_points_come_back_in_pixels_of_the_picture(tmp_path: Path) -> None:
    """-1 and 1 are the edges of the square around the box, half as large again."""
    points = np.zeros((106, 2))
    points[0], points[1] = (-1, -1), (0.5, 1)
    model = landmarks_106(tmp_path, points)
    assert model.needs == (BoxCropNeed(192, 1.5),)
    red = CROP + np.array([0, 0, 51], np.uint8)
    plain, moved = model.predict([view(CROP, box=Box(100, 200, 160, 280)), view(red)])
    found = plain["landmarks_106"].value
    assert isinstance(found, LandmarkSet)
    assert found.points.shape == (106, 2)
    assert found.points[:3] == pytest.approx(np.array([[70, 180], [160, 300], [130, 240]]))
    there = moved["landmarks_106"].value
    assert isinstance(there, LandmarkSet)
    assert there.points[2] == pytest.approx([256 + 0.2 * 84, 206], abs=1e-3)


def test_the_last_68_points_in_space_and_the_pose_they_show(tmp_path: Path) -> None:
    """The depth is in pixels too, and the first 1,035 points are not told."""
    points = np.zeros((68, 3))
    points[0] = (0, 0, 0.5)
    points[36:42], points[42:48], points[48:] = (-0.2, -0.2, 0), (0.2, -0.2, 0), (0, 0.2, 0.105)
    (said,) = landmarks_68(tmp_path, points).predict([view(CROP, box=Box(100, 200, 160, 280))])
    found, pose = said["landmarks_68"].value, said["pose"].value
    assert isinstance(found, LandmarkSet)
    assert found.points.shape == (68, 3)
    assert found.points[0] == pytest.approx([130, 240, 30])
    assert isinstance(pose, HeadPose)
    assert pose.roll == pytest.approx(0, abs=0.1)
    assert pose.pitch == pytest.approx(0, abs=1)


def test_networks_with_too_few_points_are_refused(tmp_path: Path) -> None:
    """An age network has no landmarks."""
    model = graphs.genderage(tmp_path)
    for kind in (Landmarks106, Landmarks68):
        with pytest.raises(ModelSignatureError, match="gives 3 numbers"):
            kind(opened(model), model)
