"""Pictures, and what a caller may hand in as one."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from facecv.core.arrays import Pixels, check_pixels

ImageSource = str | Path | bytes | bytearray | memoryview | NDArray[Any]
"""A picture as callers have it: path, http(s) URL, data URI or base64 text, file content, or an
array [H, W], [H, W, 1] grey, [H, W, 3] BGR or [H, W, 4] BGRA of uint8, uint16 or floats 0..1."""


@attrs.frozen(eq=False)
class Preview:
    """An upright picture at a reduced scale.

    Attributes:
        pixels: uint8 [h, w, 3], BGR.
        reduction: how many pixels of the full picture, in each direction, one of these stands for.
    """

    pixels: Pixels = attrs.field(converter=check_pixels)
    reduction: int = attrs.field(default=1, validator=attrs.validators.ge(1))


@attrs.frozen(eq=False)
class Deferred:
    """A picture of which only a preview is decoded so far.

    Attributes:
        width: of the full picture, upright, pixels.
        height: of the full picture, upright, pixels.
        preview: what is decoded.
        read: decodes the full picture, upright, uint8 [H, W, 3] BGR; it may be a strided view.
    """

    width: int
    height: int
    preview: Preview
    read: Callable[[], Pixels]


def _content(content: "Pixels | Deferred") -> "Pixels | Deferred":
    return content if isinstance(content, Deferred) else check_pixels(content)


@attrs.frozen(eq=False)
class Image:
    """A picture, upright: decoded, or decoded at a reduced scale and in full on demand.

    Detections, sizes and boxes always count in pixels of the full picture.

    Attributes:
        content: the pixels, uint8 [H, W, 3] BGR, or what reads them when they are asked for.
        source: where it came from, for messages and reports; may be empty.
    """

    content: Pixels | Deferred = attrs.field(converter=_content)
    source: str = ""

    @classmethod
    def of(cls, picture: "Image | Pixels") -> "Image":
        """Return a picture, or pixels as a picture; raises `InputError` for anything else."""
        return picture if isinstance(picture, Image) else cls(picture)

    def named(self, source: str) -> Self:
        """Return the picture with a name, unless it has one."""
        return self if self.source else attrs.evolve(self, source=source)

    @property
    def preview(self) -> Preview | None:
        """The picture at a reduced scale, where that is all that has been decoded at first."""
        return self.content.preview if isinstance(self.content, Deferred) else None

    @cached_property
    def view(self) -> Pixels:
        """The full picture, uint8 [H, W, 3], BGR; it may be a strided view of turned memory.

        Raises:
            ImageDecodeError: the picture is damaged in a way that its preview did not show.
        """
        content = self.content
        return check_pixels(content.read()) if isinstance(content, Deferred) else content

    @cached_property
    def pixels(self) -> Pixels:
        """The full picture, uint8 [H, W, 3], BGR, 0..255; raises as `view` does."""
        view = self.view
        return np.ascontiguousarray(view) if isinstance(self.content, Deferred) else view

    @property
    def width(self) -> int:
        """Width of the full picture in pixels."""
        content = self.content
        return content.width if isinstance(content, Deferred) else int(content.shape[1])

    @property
    def height(self) -> int:
        """Height of the full picture in pixels."""
        content = self.content
        return content.height if isinstance(content, Deferred) else int(content.shape[0])


@attrs.frozen
class ImageLimits:
    """What a decoder accepts, checked before it decodes.

    Attributes:
        max_bytes: the most bytes of an encoded picture.
        max_pixels: the most pixels (width times height) of a picture.
    """

    max_bytes: int = attrs.field(default=64 * 1024 * 1024, validator=attrs.validators.gt(0))
    max_pixels: int = attrs.field(default=100_000_000, validator=attrs.validators.gt(0))
