"""Pixels to normalised tensors."""

from collections.abc import Sequence

import attrs
import cv2
import numpy as np

from facecv.adapters.imaging.scratch import Scratch
from facecv.core.arrays import Floats, Pixels
from facecv.core.pack import ColorOrder, InputSpec


@attrs.frozen(eq=False)
class Normalizer:
    """Turns BGR pixels into what a network wants: channel order, layout and value range.

    A byte has 256 values, so ``(pixel - mean) / std`` is a table; looking it up is about twice as
    fast as computing it. All pictures are looked up at once, which OpenCV shares among its threads.

    Attributes:
        table: float32 [256], the normalised value of every pixel value.
        color: order of the tensor's channels.
    """

    table: Floats
    color: ColorOrder = "rgb"
    _tensors: Scratch = attrs.field(factory=lambda: Scratch(np.float32), init=False)
    _bytes: Scratch = attrs.field(factory=lambda: Scratch(np.uint8), init=False)

    @classmethod
    def of(cls, spec: InputSpec) -> "Normalizer":
        """Return the normalizer that `spec` describes."""
        values = (np.arange(256, dtype=np.float64) - spec.mean) / spec.std
        return cls(values.astype(np.float32), spec.color)

    def planes(self, images: Sequence[Pixels], canvas: tuple[int, int]) -> Floats:
        """Return pictures as float32 [N, C, H, W], each in the top left corner, black elsewhere.

        The memory is used again: it is the caller's until the same thread calls again.

        Args:
            images: N pictures uint8 [h, w, 3] BGR, none larger than the canvas.
            canvas: width and height of the tensor.
        """
        width, height = canvas
        shape = (len(images), 1 if self.color == "grey" else 3, height, width)
        pixels, tensor = self._bytes.array(shape), self._tensors.array(shape)
        for target, image in zip(pixels, images, strict=True):
            self._lay_out(image, target)
        cv2.LUT(pixels.reshape(-1, width), self.table, dst=tensor.reshape(-1, width))
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
