"""What attribute models say about a face, and what they look at."""

from collections.abc import Mapping
from typing import Any, Self

import attrs
import numpy as np

from facecv.core.arrays import Floats, as_points, same_array
from facecv.core.geometry import Box


@attrs.frozen
class HeadPose:
    """How a head is turned, in degrees; 0, 0, 0 looks into the camera.

    The turns are about the axes of the picture, in the order roll, yaw, pitch (as in 300W-LP).

    Attributes:
        yaw: above 0: towards the right edge of the picture.
        pitch: above 0: up.
        roll: above 0: tilted clockwise, as the viewer sees it.
    """

    yaw: float = attrs.field(converter=float)
    pitch: float = attrs.field(converter=float)
    roll: float = attrs.field(converter=float)


@attrs.frozen
class LandmarkSet:
    """Points of a face in the order of the model that found them.

    Attributes:
        points: float32 [K, 2] or [K, 3], read-only: x and y in pixels of the picture as given, and
            a depth in the same unit that grows towards the camera.
    """

    points: Floats = attrs.field(converter=as_points, eq=same_array, hash=False)


AttributeData = str | float | bool | HeadPose | LandmarkSet


@attrs.frozen
class AttributeValue:
    """One statement about a face.

    Attributes:
        value: a class name, a number (years), a truth value, a pose or a set of points.
        score: confidence of the model, 0..1; None where it gives none.
        probabilities: probability of each class, where the model gives them.
        model: name of the model that said so.
        reason: why there is no firm answer (a face too small, say); empty where there is one.
    """

    value: AttributeData
    score: float | None = None
    probabilities: Mapping[str, float] = attrs.field(factory=dict)
    model: str = ""
    reason: str = ""

    def plain(self) -> Any:  # noqa: ANN401 - whatever JSON can say
        """Return the value as JSON has it: poses as an object, points as lists, to a hundredth."""
        if isinstance(self.value, HeadPose):
            return {name: round(angle, 2) for name, angle in attrs.asdict(self.value).items()}
        if isinstance(self.value, LandmarkSet):
            rows = self.value.points.tolist()
            return [[round(number, 2) for number in row] for row in rows]
        return self.value

    def as_json(self) -> dict[str, Any]:
        """Return all of it as a JSON object; score, probabilities and reason where there are any.

        Shares are rounded to a ten-thousandth.
        """
        shape: dict[str, Any] = {"value": self.plain()}
        if self.score is not None:
            shape["score"] = round(self.score, 4)
        if self.probabilities:
            shape["probabilities"] = {k: round(v, 4) for k, v in self.probabilities.items()}
        if self.reason:
            shape["reason"] = self.reason
        return shape | {"model": self.model}

    @classmethod
    def from_json(cls, shape: Mapping[str, Any], /) -> Self:
        """Return what `as_json` wrote."""
        value = shape["value"]
        if isinstance(value, dict):
            value = HeadPose(**value)
        elif isinstance(value, list):
            value = LandmarkSet(np.array(value))
        return cls(**{**shape, "value": value})


@attrs.frozen
class AlignedCropNeed:
    """An attribute model that looks at the ArcFace-aligned crop of `size` x `size` pixels."""

    size: int = 112


@attrs.frozen
class BoxCropNeed:
    """An attribute model that looks at the surroundings of the face box as `size` x `size`.

    Attributes:
        size: side of the crop, pixels.
        scale: by which the box is grown about its centre.
        inside: keep the shape of the box, and shrink and shift it so that it lies inside the
            picture (as MiniFASNet does); otherwise a square that may hang over, black outside.
    """

    size: int
    scale: float = 1.0
    inside: bool = False

    def region(self, box: Box, width: int, height: int) -> Box:
        """Return what is cut out for a face box in a picture of `width` x `height` pixels."""
        if not self.inside:
            return square_around(box, self.scale)
        return grown_inside(box, self.scale, width, height)


CropNeed = AlignedCropNeed | BoxCropNeed


def square_around(box: Box, scale: float) -> Box:
    """Return the square with the box's centre and `scale` times its longer side."""
    half = max(box.width, box.height) * scale / 2
    x, y = box.center
    return Box(x - half, y - half, x + half, y + half)


def grown_inside(box: Box, scale: float, width: float, height: float) -> Box:
    """Return `box` grown by `scale`, or by less, and shifted, so that the picture holds it.

    A box larger than the picture is shrunk to it.
    """
    room = min(width / max(box.width, 1.0), height / max(box.height, 1.0))
    factor = min(scale, room)
    across, down = box.width * factor, box.height * factor
    x, y = box.center
    left = min(max(x - across / 2, 0.0), width - across)
    top = min(max(y - down / 2, 0.0), height - down)
    return Box(left, top, left + across, top + down)
