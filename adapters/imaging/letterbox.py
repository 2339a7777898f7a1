"""How a picture is fitted into the input of a detector, and how to get back."""

from typing import Self

import attrs
import cv2
import numpy as np

from facecv.core.arrays import Pixels

Size = tuple[int, int]
"""Width and height, pixels."""


@attrs.frozen
class Letterbox:
    """A picture resized into the top left corner of a canvas.

    Attributes:
        canvas: width and height of the whole.
        content: width and height of the resized picture.
        scale: factors from the picture's pixels to the canvas's, of x and of y.
    """

    canvas: Size
    content: Size
    scale: tuple[float, float]

    @classmethod
    def inside(cls, size: Size, canvas: Size) -> Self:
        """Return how a picture of `size` fits into `canvas`, as large as it can be.

        The arithmetic is that of the insightface package (the shorter side is rounded down, the
        factor of the height stands for both axes), so that boxes, landmarks and therefore
        embeddings agree with those that it made.
        """
        aspect = size[1] / size[0]
        if aspect > canvas[1] / canvas[0]:
            width, height = int(canvas[1] / aspect), canvas[1]
        else:
            width, height = canvas[0], int(canvas[0] * aspect)
        width, height = max(1, width), max(1, height)
        return cls(canvas, (width, height), (height / size[1],) * 2)

    @classmethod
    def filled(cls, size: Size, longest: int, multiple: int) -> Self:
        """Return how a picture of `size` fills a canvas whose longer side is about `longest`.

        The sides are rounded down to multiples of `multiple` (at least one), and the picture is
        stretched to them, so that there is no border.
        """
        factor = longest / max(size)
        width, height = (max(1, int(side * factor / multiple)) * multiple for side in size)
        return cls((width, height), (width, height), (width / size[0], height / size[1]))

    def trimmed(self, multiple: int) -> Self:
        """Return the same on the smallest canvas whose sides are multiples of `multiple`."""
        width, height = (-(-side // multiple) * multiple for side in self.content)
        return attrs.evolve(self, canvas=(width, height))

    def resize(self, image: Pixels) -> Pixels:
        """Return the picture at the size of the content, uint8 [h, w, 3], bilinear.

        Args:
            image: the picture, or a copy of it of another size.
        """
        if (image.shape[1], image.shape[0]) == self.content:
            return image
        resized = cv2.resize(image, self.content, interpolation=cv2.INTER_LINEAR)
        return np.asarray(resized, dtype=np.uint8)
