"""Head pose from 68 points in space."""

import pickle
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from facecv.adapters.attributes.pose_of_points import head_pose
from facecv.core.arrays import Floats
from tests.adapters.attributes.heads import turned

ANGLES = [(0, 0, 0), (30, 0, 0), (-45, 0, 0), (0, 20, 0), (0, -20, 0), (0, 0, 35), (25, -15, 10)]


@pytest.fixture(scope="module")
def mean_head() -> Floats:
    """Return the mean head of the insightface package, float32 [68, 3]."""
    found = find_spec("insightface")
    if found is None or found.origin is None:
        pytest.skip("the insightface package, whose mean head is turned here, is not installed")
    path = Path(found.origin).parent / "data" / "objects" / "meanshape_68.pkl"
    head: Floats = pickle.loads(path.read_bytes())  # noqa: S301 - of an installed package
    return head.astype(np.float32)


@pytest.mark.parametrize(("yaw", "pitch", "roll"), ANGLES)
def test_a_turned_head_has_the_angles_by_which_it_was_turned(
    mean_head: Floats, yaw: float, pitch: float, roll: float
) -> None:
    """Whatever its place and size."""
    head = turned(mean_head, yaw=yaw, pitch=pitch, roll=roll) * 80 + 300
    found = head_pose(head)
    assert found.yaw == pytest.approx(yaw, abs=1)
    assert found.pitch == pytest.approx(pitch, abs=1)
    assert found.roll == pytest.approx(roll, abs=1)


def test_points_that_fall_together_give_a_pose_all_the_same() -> None:
    """No division by nothing."""
    found = head_pose(np.zeros((68, 3), np.float32))
    assert (found.yaw, found.pitch, found.roll) == (0, 0, 0)
