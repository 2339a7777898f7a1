"""How a picture is fitted into the input of a detector, and how to get back."""

import math
from typing import Self

import attrs
import cv2

from facecv.core.arrays import Pixels

Size = tuple[int, int]
"""Width and height, pixels."""


@attrs.frozen
class Letterbox:
    """A picture resized into the top left corner of a canvas.

    Attributes:
        canvas: width and height of the whole.
        content: width and height of the resized picture.
        scale: factors (x, y) from the picture's pixels to the canvas's.
    """

    canvas: Size
    content: Size
    scale: tuple[float, float]

    @classmethod
    def rectangle(cls, size: Size, longer: int, multiple: int = 32) -> Self:
        """Fit a picture into the smallest canvas whose sides are multiples of `multiple`.

        Args:
            size: width and height of the picture.
            longer: what the longer side of the picture becomes.
            multiple: what the sides of the canvas are multiples of.
        """
        ratio = longer / max(size)
        width, height = (max(1, round(side * ratio)) for side in size)
        canvas = (_round_up(width, multiple), _round_up(height, multiple))
        return cls(canvas, (width, height), (width / size[0], height / size[1]))

    @classmethod
    def inside(cls, size: Size, canvas: Size) -> Self:
        """Fit a picture into a given canvas with the arithmetic of the insightface package.

        The shorter side is rounded down, and one factor (that of the height) stands for both axes.
        """
        aspect = size[1] / size[0]
        if aspect > canvas[1] / canvas[0]:
            width, height = int(canvas[1] / aspect), canvas[1]
        else:
            width, height = canvas[0], int(canvas[0] * aspect)
        width, height = max(1, width), max(1, height)
        return cls(canvas, (width, height), (height / size[1], height / size[1]))

    def resize(self, image: Pixels) -> Pixels:
        """Return the picture at the size of the content, uint8 [h, w, 3], bilinear."""
        if (image.shape[1], image.shape[0]) == self.content:
            return image
        return cv2.resize(image, self.content, interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]


def _round_up(value: int, multiple: int) -> int:
    return math.ceil(value / multiple) * multiple
