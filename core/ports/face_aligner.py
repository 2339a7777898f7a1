"""Port: cutting faces out of a picture."""

from collections.abc import Sequence
from typing import Protocol

from facecv.core.arrays import Floats, Pixels
from facecv.core.geometry import Box


class FaceAligner(Protocol):
    """Cuts faces out of a picture, bilinear, black outside of it."""

    def align(self, image: Pixels, landmarks: Sequence[Floats], size: int, /) -> Pixels:
        """Return ArcFace-aligned crops (see `facecv.core.geometry.arcface_transform`).

        Args:
            image: uint8 [H, W, 3] BGR.
            landmarks: N arrays float32 [5, 2].
            size: side of the crops in pixels.

        Returns:
            uint8 [N, size, size, 3] BGR.
        """
        ...

    def crop(self, image: Pixels, boxes: Sequence[Box], size: int, /) -> Pixels:
        """Return the contents of boxes, scaled to squares: uint8 [N, size, size, 3] BGR."""
        ...
