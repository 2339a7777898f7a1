"""How usable a face is for recognition: a score from 0 to 1, its parts, and gates for enrolment.

All parts are measured on the aligned 112x112 crop and the landmarks, with plain numpy. Each is
mapped to 0..1 by a ramp between a value that is useless and a value that is fine. The ramps and
gates are set on photos of LFW: 99 % of them pass ``standard`` and 94 % ``strict``; blurred by a
Gaussian of 4 pixels in the crop, or at 15 % of their light, none pass.
"""

import math
from collections.abc import Mapping
from typing import Literal, Self

import attrs
import numpy as np

from facecv.core.arrays import Floats, Pixels
from facecv.core.attributes import AttributeValue, HeadPose

_HIDDEN_BY_MASK = 0.8
"""A mask leaves eyes and brows: ``strict`` refuses such a face, ``standard`` does not."""

GateName = Literal["off", "standard", "strict"]


@attrs.frozen
class Quality:
    """The quality of one face; every part is 0 (useless) to 1 (fine).

    Attributes:
        sharpness: strength of fine detail.
        brightness: distance of the mean grey from too dark and too light.
        contrast: spread of the grey values.
        pose: frontality, from the landmarks, and from a head pose where one is known.
        size: distance between the eyes in the picture as given.
        visibility: hint at occlusion: how alike the two halves and how face-like the lower part is;
            and whether there is a mask, where that is known.
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
        parts: tuple[float, ...] = attrs.astuple(self)
        mean = math.prod(parts) ** (1 / len(parts))
        return math.sqrt(min(parts) * mean)

    def given(self, attributes: Mapping[str, AttributeValue]) -> Self:
        """Return the quality with what models say about ``pose`` and ``mask`` counted in.

        Either can only lower a part: the pose that of the landmarks, a mask the visibility.
        """
        pose, mask = attributes.get("pose"), attributes.get("mask")
        found = self
        if pose and isinstance(pose.value, HeadPose):
            found = attrs.evolve(found, pose=min(found.pose, _straightness(pose.value)))
        if mask:
            masked = mask.probabilities.get("mask", float(mask.value == "mask"))
            hidden = min(found.visibility, 1 - _HIDDEN_BY_MASK * masked)
            found = attrs.evolve(found, visibility=hidden)
        return found

    def failed(self, gate: GateName) -> tuple[str, ...]:
        """Return the names of the parts that do not pass `gate` (empty: it passes)."""
        floors = GATES[gate]
        return tuple(name for name, floor in floors.items() if getattr(self, name) < floor)


GATES: dict[GateName, dict[str, float]] = {
    "off": {},
    "standard": {"sharpness": 0.1, "brightness": 0.1, "contrast": 0.1, "pose": 0.05, "size": 0.1},
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
    grey = _grey(crop)
    centre = grey[40:104, 30:82]  # from brows to chin: what lies around a face does not count
    contrast = float(centre.std())
    return Quality(
        sharpness=_sharpness(centre, contrast),
        brightness=_brightness(float(centre.mean())),
        contrast=_ramp(contrast, 6.0, 26.0),
        pose=_frontality(landmarks),
        size=_ramp(float(np.linalg.norm(landmarks[1] - landmarks[0])), 8.0, 36.0),
        visibility=_visibility(grey),
    )


def _ramp(value: float, useless: float, fine: float) -> float:
    return min(max((value - useless) / (fine - useless), 0.0), 1.0)


def _grey(crop: Pixels) -> Floats:
    """Return the crop in grey, float32 [H, W], 0..255."""
    weights = np.array([0.114, 0.587, 0.299], dtype=np.float32)
    flat: Floats = crop.reshape(-1, 3).astype(np.float32) @ weights
    return flat.reshape(crop.shape[:2])


def _sharpness(grey: Floats, contrast: float) -> float:
    """Return how strong the finest detail is beside all detail, so that light does not count."""
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    finest = float((around - 4 * grey[1:-1, 1:-1]).var())
    # Rounding to whole greys alone gives a variance of about 1.
    return _ramp(math.sqrt(max(finest - 1.0, 0.0)) / max(contrast, 20.0), 0.07, 0.28)


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


def _straightness(pose: HeadPose) -> float:
    """Return 1 for a head that looks into the camera, 0 for one turned by 45 degrees and more."""
    return _ramp(-max(abs(pose.yaw), abs(pose.pitch)), -45.0, -12.0)


def _visibility(grey: Floats) -> float:
    """Return a hint at occlusion: likeness of the halves, and detail around the mouth."""
    left, right = grey[32:104:2, 18:56:2], grey[32:104:2, 93:55:-2]
    likeness = _correlation(left, right)
    mouth, eyes = grey[82:102, 36:76].std(), grey[42:62, 26:86].std()
    detail = _ramp(float(mouth / max(float(eyes), 1e-3)), 0.1, 0.45)
    return min(_ramp(likeness, -0.4, 0.3), detail)


def _correlation(one: Floats, other: Floats) -> float:
    a, b = (one - one.mean()).ravel(), (other - other.mean()).ravel()
    scale = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / scale if scale > 1e-6 else 0.0
