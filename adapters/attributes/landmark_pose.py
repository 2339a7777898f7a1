"""An estimate of the head pose from the five landmarks of a detector, without any network."""

import math
from collections.abc import Sequence

import numpy as np

from facecv.core.arrays import Floats
from facecv.core.attributes import AttributeValue, CropNeed, HeadPose
from facecv.core.face_view import FaceView

NAME = "landmark-pose"
PROVIDES = frozenset({"pose"})

# Fitted to FSA-Net on 400 faces of LFW: mean differences 2.0 (yaw), 3.5 (pitch) and 1.9 (roll).
_YAW = 1.75
_PITCH_LEVEL, _PITCH = 29.5, -63.0
_STEEPEST = 60.0


class LandmarkPose:
    """Tells ``pose`` (`HeadPose`) from where the nose lies between eyes and mouth.

    It looks at no pixel. A face without landmarks, or whose landmarks fall on one point, gets none.
    """

    provides = PROVIDES
    needs: tuple[CropNeed, ...] = ()

    def predict(self, faces: Sequence[FaceView], /) -> Sequence[dict[str, AttributeValue]]:
        """Return the pose of each face; see `AttributeModel`."""
        poses = [_pose(face.detection.landmarks) for face in faces]
        return [{"pose": AttributeValue(pose, model=NAME)} if pose else {} for pose in poses]


def _pose(points: Floats | None) -> HeadPose | None:
    if points is None:
        return None
    eyes = points[:2].mean(axis=0)
    across = points[1] - points[0]
    span = float(np.linalg.norm(across))
    if span < 1e-3:
        return None
    along = across / span
    down = np.array([-along[1], along[0]])
    nose, mouth = points[2] - eyes, points[3:].mean(axis=0) - eyes
    height = float(mouth @ down)
    drop = float(nose @ down) / height if height > 1e-3 else 0.5
    pitch = min(max(_PITCH_LEVEL + _PITCH * drop, -_STEEPEST), _STEEPEST)
    # Where the face looks, for one unit towards the camera: in its own frame, then the picture's.
    gaze = along * (_YAW * float(nose @ along) / span) - down * math.tan(math.radians(pitch))
    right, below = gaze.tolist()
    return HeadPose(
        yaw=math.degrees(math.atan(right)),
        pitch=math.degrees(math.atan(-below)),
        roll=math.degrees(math.atan2(float(across[1]), float(across[0]))),
    )
