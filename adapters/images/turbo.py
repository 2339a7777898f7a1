"""JPEG files decoded with libjpeg-turbo (simplejpeg), in full or at a reduced scale."""

from collections.abc import Callable, Mapping
from typing import cast

import attrs
import numpy as np
from simplejpeg import decode_jpeg

from facecv.core.arrays import Pixels
from facecv.core.errors import ImageDecodeError
from facecv.core.image import Deferred, Preview

_REDUCTIONS = (8, 4)
"""Scales of previews. One half is left out: it takes nearly as long as the full picture."""

_TURNS: Mapping[int, Callable[[Pixels], Pixels]] = {
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.transpose(1, 0, 2),
    6: lambda stored: stored[::-1].transpose(1, 0, 2),
    7: lambda stored: stored[::-1, ::-1].transpose(1, 0, 2),
    8: lambda stored: stored.transpose(1, 0, 2)[::-1],
}
"""What turns a picture of an EXIF orientation upright: views, nothing is copied."""


@attrs.frozen(eq=False)
class TurboJpeg:
    """A JPEG file of grey or colour (not CMYK).

    Attributes:
        data: the file.
        width: as stored, pixels.
        height: as stored, pixels.
        orientation: as EXIF counts it; anything but 2 to 8 means upright.
    """

    data: bytes
    width: int
    height: int
    orientation: int = 1

    def content(self, side: int) -> Pixels | Deferred | None:
        """Return the picture; None where this decoder has doubts about the file.

        Args:
            side: as for `ImageDecoder.decode`.
        """
        reduction = self._reduction(side)
        try:
            pixels = np.ascontiguousarray(self._upright(reduction))
        except ValueError:
            return None
        if reduction == 1:
            return pixels
        width, height = self.width, self.height
        if self.orientation in {5, 6, 7, 8}:
            width, height = height, width
        return Deferred(width, height, Preview(pixels, reduction), self.full)

    def full(self) -> Pixels:
        """Return the full picture, upright: a view of turned memory where need be.

        Raises:
            ImageDecodeError: the file is damaged.
        """
        try:
            return self._upright(1)
        except ValueError as error:
            raise ImageDecodeError("this JPEG file is damaged") from error

    def _reduction(self, side: int) -> int:
        longest = max(self.width, self.height)
        return next((by for by in _REDUCTIONS if side and -(-longest // by) >= side), 1)

    def _upright(self, reduction: int) -> Pixels:
        """Decode; raises `ValueError` at the first sign of damage."""
        pixels = cast(
            "Pixels",
            decode_jpeg(
                self.data,
                "BGR",
                min_width=-(-self.width // reduction),
                min_height=-(-self.height // reduction),
            ),
        )
        turn = _TURNS.get(self.orientation)
        return turn(pixels) if turn else pixels
