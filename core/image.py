"""Pictures, and what a caller may hand in as one."""

from pathlib import Path
from typing import Any

import attrs
from numpy.typing import NDArray

from facecv.core.arrays import Pixels, check_pixels

ImageSource = str | Path | bytes | bytearray | memoryview | NDArray[Any]
"""A picture as callers have it: path, http(s) URL, data URI or base64 text, file content, or an
array [H, W], [H, W, 1] grey, [H, W, 3] BGR or [H, W, 4] BGRA of uint8, uint16 or floats 0..1."""


@attrs.frozen(eq=False)
class Image:
    """A decoded picture, upright.

    Attributes:
        pixels: uint8 [H, W, 3], BGR, 0..255.
        source: where it came from, for messages and reports; may be empty.
    """

    pixels: Pixels = attrs.field(converter=check_pixels)
    source: str = ""

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])


@attrs.frozen
class ImageLimits:
    """What a decoder accepts, checked before it decodes.

    Attributes:
        max_bytes: the most bytes of an encoded picture.
        max_pixels: the most pixels (width times height) of a picture.
    """

    max_bytes: int = attrs.field(default=64 * 1024 * 1024, validator=attrs.validators.gt(0))
    max_pixels: int = attrs.field(default=100_000_000, validator=attrs.validators.gt(0))
