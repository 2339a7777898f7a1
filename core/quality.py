"""How usable a face is for recognition: a score from 0 to 1, its parts, and gates for enrolment.

All parts are measured on the aligned 112x112 crop, the landmarks and the box, with plain numpy.
Each is mapped to 0..1 by a ramp between a value that is useless and a value that is fine.
"""

from typing import Literal

import attrs
import numpy as np

from facecv.core.arrays import Floats, Pixels

GateName = Literal["off", "standard", "strict"]


@attrs.frozen
class Quality:
    """The quality of one face; every part is 0 (useless) to 1 (fine).

    Attributes:
        sharpness: strength of fine detail.
        brightness: distance of the mean grey from too dark and too light.
        contrast: spread of the grey values.
        pose: frontality, from the landmarks.
        size: distance between the eyes in the picture as given.
        visibility: hint at occlusion: how alike the two halves and how face-like the lower part is.
    """

    sharpness: float
    brightness: float
    contrast: float
    pose: float
    size: float
    visibility: float

    @property
    def score(self) -> float:
        """The whole: the geometric mean of the parts, pulled down by the weakest."""
        parts = np.array(attrs.astuple(self))
        return float(np.sqrt(parts.min() * np.exp(np.log(np.maximum(parts, 1e-6)).mean())))

    def failed(self, gate: GateName) -> tuple[str, ...]:
        """Return the names of the parts that do not pass `gate` (empty: it passes)."""
        floors = GATES[gate]
        return tuple(name for name, floor in floors.items() if getattr(self, name) < floor)


GATES: dict[GateName, dict[str, float]] = {
    "off": {},
    "standard": {"sharpness": 0.1, "brightness": 0.1, "contrast": 0.1, "pose": 0.2, "size": 0.1},
    "strict": {
        "sharpness": 0.4,
        "brightness": 0.4,
        "contrast": 0.4,
        "pose": 0.5,
        "size": 0.4,
        "visibility": 0.3,
    },
}
"""The least value of each part that a face must have to pass a gate."""


def measure_quality(crop: Pixels, landmarks: Floats) -> Quality:
    """Return the quality of a face.

    Args:
        crop: aligned uint8 [112, 112, 3] BGR.
        landmarks: float32 [5, 2] in pixels of the picture as given.
    """
    grey: Floats = crop.astype(np.float32) @ np.array([0.114, 0.587, 0.299], dtype=np.float32)
    centre = grey[16:104, 16:96]
    return Quality(
        sharpness=_ramp(_laplacian_spread(centre), 2.0, 9.0),
        brightness=_brightness(float(centre.mean())),
        contrast=_ramp(float(centre.std()), 8.0, 32.0),
        pose=_frontality(landmarks),
        size=_ramp(float(np.linalg.norm(landmarks[1] - landmarks[0])), 8.0, 36.0),
        visibility=_visibility(grey),
    )


def _ramp(value: float, useless: float, fine: float) -> float:
    return float(np.clip((value - useless) / (fine - useless), 0.0, 1.0))


def _laplacian_spread(grey: Floats) -> float:
    inner = grey[1:-1, 1:-1] * 4
    edges = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((inner - edges).std())


def _brightness(mean: float) -> float:
    return min(_ramp(mean, 20.0, 70.0), _ramp(-mean, -245.0, -205.0))


def _frontality(points: Floats) -> float:
    """Return 1 for a frontal face, 0 for a profile; roll does not count."""
    eyes = points[1] - points[0]
    span = float(np.linalg.norm(eyes))
    if span < 1e-3:
        return 0.0
    along = eyes / span
    across = np.array([-along[1], along[0]])
    eye_middle, mouth_middle = points[:2].mean(axis=0), points[3:].mean(axis=0)
    nose = points[2] - eye_middle
    yaw = abs(float(nose @ along)) / span
    drop = float((mouth_middle - eye_middle) @ across)
    if drop <= 1e-3:
        return 0.0
    pitch = abs(float(nose @ across) / drop - 0.5)
    stretch = abs(drop / span - 1.05)  # eyes close together for their distance to the mouth
    return _ramp(-max(yaw, pitch, stretch / 2), -0.55, -0.12)


def _visibility(grey: Floats) -> float:
    """Return a hint at occlusion: likeness of the halves, and detail around the mouth."""
    left, right = grey[32:104, 18:56], grey[32:104, 56:94][:, ::-1]
    likeness = _correlation(left, right)
    mouth, eyes = grey[82:102, 36:76].std(), grey[42:62, 26:86].std()
    detail = _ramp(float(mouth / max(float(eyes), 1e-3)), 0.1, 0.45)
    return min(_ramp(likeness, -0.4, 0.3), detail)


def _correlation(one: Floats, other: Floats) -> float:
    a, b = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 1e-6 else 0.0
