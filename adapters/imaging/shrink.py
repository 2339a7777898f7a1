"""Large pictures at a quarter of their size, as JPEG decoders scale them."""

import cv2
import numpy as np

from facecv.core.arrays import Pixels
from facecv.core.image import Preview

_BY = 4


def shrunk(image: Pixels, side: int) -> Preview:
    """Return a picture at a quarter of its size, a sixteenth, … as long as that suffices.

    Each pixel is the mean of those it stands for, where a bilinear resize looks at a few of them
    and keeps their noise. Up to three columns and rows at the far edges are left out.

    Args:
        image: uint8 [H, W, 3].
        side: the least longer side, pixels.
    """
    reduction = 1
    while max(image.shape[:2]) >= _BY * side and min(image.shape[:2]) >= _BY:
        image, reduction = _quarter(image), reduction * _BY
    return Preview(image, reduction)


def _quarter(image: Pixels) -> Pixels:
    """Halve twice, which is twice as fast as OpenCV's mean of 4 x 4.

    Halving rounds up. The second time it is done to the negative, so that the picture does not get
    brighter: a quarter of a grey level is enough to move landmarks.
    """
    height, width = (length // _BY * _BY for length in image.shape[:2])
    return _negative(_half(_negative(_half(image[:height, :width]))))


def _half(image: Pixels) -> Pixels:
    size = image.shape[1] // 2, image.shape[0] // 2
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _negative(image: Pixels) -> Pixels:
    """Return the negative, in the memory of the picture."""
    return np.asarray(cv2.bitwise_not(image, dst=image), dtype=np.uint8)
