"""How a head is turned, from 68 points in space."""

import math

import numpy as np

from facecv.core.arrays import Floats
from facecv.core.attributes import HeadPose

# Points of iBUG 300-W that lie opposite one another: on the left of the picture, on the right.
_LEFT = [0, 1, 2, 3, 17, 18, 19, 20, 21, 36, 37, 38, 39, 40, 41, 48]
_RIGHT = [16, 15, 14, 13, 26, 25, 24, 23, 22, 45, 44, 43, 42, 47, 46, 54]
_EYES, _MOUTH = slice(36, 48), slice(48, 68)

_LEAN = math.radians(14.7)
"""By how much the way from the eyes to the mouth of a level head leads to the front."""


def head_pose(points: Floats) -> HeadPose:
    """Return the pose of a head.

    The direction across the face is that between points that mirror one another, the direction
    down that from the eyes to the mouth; the face looks at a right angle to both.

    Args:
        points: float32 [68, 3], x to the right, y down, z towards the camera.
    """
    across = _unit((points[_RIGHT] - points[_LEFT]).mean(axis=0))
    way = points[_MOUTH].mean(axis=0) - points[_EYES].mean(axis=0)
    slope = _unit(way - across * float(way @ across))
    front = math.cos(_LEAN) * np.cross(across, slope) + math.sin(_LEAN) * slope
    down = np.cross(front, across)
    x, y, z = front.tolist()
    return HeadPose(
        yaw=math.degrees(math.asin(min(max(x, -1.0), 1.0))),
        pitch=math.degrees(math.atan2(-y, z)),
        roll=math.degrees(math.atan2(-float(down[0]), float(across[0]))),
    )


def _unit(vector: Floats) -> Floats:
    """Return a vector at length one; nothing stays nothing."""
    scaled: Floats = vector / max(float(np.linalg.norm(vector)), 1e-9)
    return scaled
