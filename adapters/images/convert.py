"""From whatever pixels a picture has to uint8 BGR."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image as PillowImage

from facecv.core.arrays import Pixels
from facecv.core.errors import ImageDecodeError

_SIXTEEN_BITS = frozenset(["I", "I;16", "I;16B", "I;16L", "I;16N"])


def from_pillow(picture: PillowImage) -> Pixels:
    """Return the pixels of a decoded Pillow picture, uint8 [H, W, 3] BGR, on white."""
    if picture.mode in _SIXTEEN_BITS:
        return from_array(np.clip(np.asarray(picture), 0, 65535).astype(np.uint16))
    if picture.mode == "F":
        return from_array(np.asarray(picture))
    if picture.has_transparency_data:
        rgba = np.asarray(picture.convert("RGBA"))
        return _on_white(_pixels(cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA)))
    if picture.mode == "L":
        return from_array(np.asarray(picture))
    rgb = picture if picture.mode == "RGB" else picture.convert("RGB")
    return _pixels(cv2.cvtColor(np.asarray(rgb), cv2.COLOR_RGB2BGR))


def from_array(array: NDArray[Any]) -> Pixels:
    """Return an array as uint8 [H, W, 3] BGR; one that is so already is returned itself.

    Args:
        array: [H, W], [H, W, 1] grey, [H, W, 3] BGR or [H, W, 4] BGRA, of uint8, uint16 or
            floats from 0 to 1.

    Raises:
        ImageDecodeError: another shape or type.
    """
    channels = 1 if array.ndim == 2 else array.shape[2] if array.ndim == 3 else 0
    if channels not in {1, 3, 4} or array.size == 0:
        raise ImageDecodeError(
            f"an array of shape {list(array.shape)} is not a picture",
            hint="[H, W] or [H, W, 1] grey, [H, W, 3] BGR or [H, W, 4] BGRA are",
        )
    pixels = _eight_bits(array)
    if channels == 1:
        return _pixels(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR))
    return pixels if channels == 3 else _on_white(pixels)


def _eight_bits(array: NDArray[Any]) -> Pixels:
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.uint16:
        return (array >> 8).astype(np.uint8)
    if not np.issubdtype(array.dtype, np.floating):
        raise ImageDecodeError(
            f"an array of {array.dtype} is not a picture",
            hint="uint8, uint16 and floats from 0 to 1 are",
        )
    if not (array.min() >= 0.0 and array.max() <= 1.0):  # the negation also catches NaN
        raise ImageDecodeError(
            "a picture of floats must lie between 0 and 1",
            hint="divide by 255, or convert to uint8",
        )
    return np.rint(array * 255.0).astype(np.uint8)


def _on_white(bgra: NDArray[np.uint8]) -> Pixels:
    """Return what a picture with transparency looks like on white paper."""
    alpha = bgra[..., 3:].astype(np.uint16)
    if alpha.min() == 255:
        return np.ascontiguousarray(bgra[..., :3])
    mixed = bgra[..., :3] * alpha + 255 * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)


def _pixels(array: NDArray[Any]) -> Pixels:
    """Tell the type checker what OpenCV returns."""
    return array
