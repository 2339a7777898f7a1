"""Pixels to the tensors that networks take."""

from collections.abc import Sequence
from typing import Any

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from facecv.adapters.imaging.scratch import Scratch
from facecv.core.arrays import Floats, Pixels
from facecv.core.pack import ColorOrder, InputSpec
from facecv.core.ports.inference_backend import TensorSpec

INPUTS = frozenset({"float32", "uint8"})
"""Types of an input that pictures can be laid out for."""


@attrs.frozen(eq=False)
class Normalizer:
    """Turns BGR pixels into what a network takes: channel order, layout and value range.

    A byte has 256 values, so ``(pixel - mean) / std`` is a table; looking it up is about twice as
    fast as computing it. Where float32 computes it without rounding, as for a `std` of 128, one
    call of OpenCV's is faster still. Rounded otherwise, values between two integers would go to
    the other one in networks of bytes.

    A network that takes bytes normalises by itself (`SessionOptions.pixels`) and gets them as they
    are.

    Attributes:
        table: float32 [256], the normalised value of every pixel value; None: the network's work.
        color: order of the tensor's channels.
        line: what a pixel value is multiplied by and what is added then; None: that is not exact.
    """

    table: Floats | None
    color: ColorOrder = "rgb"
    line: tuple[float, float] | None = None
    _tensors: Scratch = attrs.field(factory=lambda: Scratch(np.float32), init=False)
    _bytes: Scratch = attrs.field(factory=lambda: Scratch(np.uint8), init=False)

    @classmethod
    def of(cls, spec: InputSpec, tensor: TensorSpec | None = None) -> "Normalizer":
        """Return the normalizer that `spec` describes.

        Args:
            spec: colour order and value range.
            tensor: the input of the network; None: one that takes floats.
        """
        if tensor is not None and tensor.dtype == "uint8":
            return cls(None, spec.color)
        pixels = np.arange(256)
        table = ((pixels - spec.mean) / spec.std).astype(np.float32)
        scale, shift = np.float32(1 / spec.std), np.float32(-spec.mean / spec.std)
        exact = np.array_equal(pixels.astype(np.float32) * scale + shift, table)
        return cls(table, spec.color, (float(scale), float(shift)) if exact else None)

    def planes(self, images: Sequence[Pixels], canvas: tuple[int, int]) -> NDArray[Any]:
        """Return pictures as [N, C, H, W], each in the top left corner, black elsewhere.

        They are float32, or uint8 where the network normalises. The memory is used again: it is
        the caller's until the same thread calls again.

        Args:
            images: N pictures uint8 [h, w, 3] BGR, none larger than the canvas.
            canvas: width and height of the tensor.
        """
        width, height = canvas
        shape = (len(images), 1 if self.color == "grey" else 3, height, width)
        pixels = self._bytes.array(shape)
        for target, image in zip(pixels, images, strict=True):
            self._lay_out(image, target)
        if self.table is None:
            return pixels
        tensor = self._tensors.array(shape)
        rows, numbers = pixels.reshape(-1, width), tensor.reshape(-1, width)
        if self.line:
            scale, shift = self.line
            cv2.addWeighted(rows, scale, rows, 0, shift, dst=numbers, dtype=cv2.CV_32F)
        else:
            cv2.LUT(rows, self.table, dst=numbers)
        return tensor

    def _lay_out(self, image: Pixels, target: Pixels) -> None:
        """Write the channels of a picture into the top left corner of uint8 [C, H, W]."""
        rows, columns = image.shape[:2]
        target[:, rows:] = 0
        target[:, :rows, columns:] = 0
        channels = list(target[:, :rows, :columns])
        if self.color == "grey":
            cv2.cvtColor(image, cv2.COLOR_BGR2GRAY, channels[0])
        else:
            cv2.split(image, channels[::-1] if self.color == "rgb" else channels)
