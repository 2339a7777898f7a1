"""Faces as attribute models see them, for tests: ``view(crop)``."""

import numpy as np

from facecv.core.arrays import Floats, Pixels
from facecv.core.face import Detection
from facecv.core.face_view import FaceView
from facecv.core.geometry import ARCFACE_TEMPLATE, Box

BOX = Box(200, 150, 312, 262)


def view(
    *crops: Pixels,
    box: Box = BOX,
    landmarks: Floats | None = None,
    width: int = 640,
    height: int = 480,
) -> FaceView:
    """Return a face with these crops; without landmarks it gets those of a frontal face."""
    frontal = ARCFACE_TEMPLATE / 112 * max(box.width, 1.0)
    points = frontal + np.array([box.x1, box.y1]) if landmarks is None else landmarks
    return FaceView(Detection(box, 0.9, points), width, height, crops)
