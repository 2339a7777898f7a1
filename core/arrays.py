"""Array types of the domain, and converters that make arrays safe to keep inside values."""

from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from facecv.core.errors import InputError

Pixels = NDArray[np.uint8]
"""A picture: uint8 [H, W, 3], BGR, 0..255 (or a batch of them, where a docstring says so)."""

Floats = NDArray[np.float32]
"""A float32 array; the docstring that uses it gives the shape."""

same_array = attrs.cmp_using(eq=np.array_equal)
"""For `attrs.field(eq=...)`: arrays are equal if all their numbers are."""


def as_vector(value: ArrayLike) -> Floats:
    """Return `value` as a read-only float32 [D] array."""
    return _frozen(value, (None,))


def as_landmarks(value: ArrayLike | None) -> Floats | None:
    """Return `value` as a read-only float32 [5, 2] array; None stays None."""
    return None if value is None else _frozen(value, (5, 2))


def as_points(value: ArrayLike) -> Floats:
    """Return `value` as a read-only float32 [N, 2] or [N, 3] array."""
    array = np.asarray(value, dtype=np.float32)
    return _frozen(array, (None, 3 if array.shape[-1:] == (3,) else 2))


def _frozen(value: ArrayLike, shape: tuple[int | None, ...]) -> Floats:
    """Return a read-only array; copied only where somebody else could still write to it."""
    array = np.asarray(value, dtype=np.float32)
    if array.ndim != len(shape) or any(
        want not in {None, got} for want, got in zip(shape, array.shape, strict=True)
    ):
        wanted = ", ".join("N" if want is None else str(want) for want in shape)
        raise InputError(f"an array of shape [{wanted}] was expected, got {list(array.shape)}")
    if array.flags.writeable or array.base is not None:
        array = array.copy()
        array.flags.writeable = False
    return array


def check_pixels(pixels: NDArray[Any], /) -> Pixels:
    """Return `pixels` if they are a picture (uint8 [H, W, 3], not empty).

    Raises:
        InputError: the array has another type or shape.
    """
    if getattr(pixels, "dtype", None) != np.uint8:
        got = getattr(pixels, "dtype", type(pixels).__name__)
        raise InputError(f"a picture must be a uint8 array, got {got}")
    if pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise InputError(f"a picture must have the shape [H, W, 3], got {list(pixels.shape)}")
    return pixels
