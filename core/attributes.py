"""What attribute models say about a face."""

from collections.abc import Mapping

import attrs

from facecv.core.geometry import Box


@attrs.frozen
class AttributeValue:
    """One statement about a face.

    Attributes:
        value: a class name, a number (years, degrees), or a truth value.
        score: confidence of the model, 0..1; None where it gives none.
        probabilities: probability of each class, where the model gives them.
        model: name of the model that said so.
    """

    value: str | float | bool
    score: float | None = None
    probabilities: Mapping[str, float] = attrs.field(factory=dict)
    model: str = ""


@attrs.frozen
class AlignedCropNeed:
    """An attribute model that looks at the ArcFace-aligned crop of `size` x `size` pixels."""

    size: int = 112


@attrs.frozen
class BoxCropNeed:
    """An attribute model that looks at the face box grown by `scale`, as `size` x `size`."""

    size: int
    scale: float = 1.0


CropNeed = AlignedCropNeed | BoxCropNeed


def square_around(box: Box, scale: float) -> Box:
    """Return the square with the box's centre and `scale` times its longer side."""
    half = max(box.width, box.height) * scale / 2
    x, y = box.center
    return Box(x - half, y - half, x + half, y + half)
