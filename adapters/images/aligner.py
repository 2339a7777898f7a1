"""Cutting faces out of a picture with OpenCV."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from facecv.core.arrays import Floats, Pixels
from facecv.core.geometry import Box, arcface_transform

_LONGEST = 32_000
"""OpenCV warps pictures whose sides fit into 16 bits; larger ones are cut to a window first."""


class OpenCVAligner:
    """Cuts faces out of a picture, bilinear, black outside of it.

    A crop is sampled exactly as the insightface package samples it: no smoothing however large the
    face is, and pixel centres at whole coordinates.
    """

    def align(self, image: Pixels, landmarks: Sequence[Floats], size: int, /) -> Pixels:
        """Return ArcFace-aligned crops, uint8 [N, size, size, 3] BGR.

        Raises:
            InputError: landmarks fall on one point, or are not finite.
        """
        return _warped(image, [arcface_transform(points, size) for points in landmarks], size)

    def crop(self, image: Pixels, boxes: Sequence[Box], size: int, /) -> Pixels:
        """Return the contents of boxes, scaled to squares: uint8 [N, size, size, 3] BGR.

        A box thinner than one pixel is taken as one pixel wide.
        """
        return _warped(image, [_box_transform(box, size) for box in boxes], size)


def _box_transform(box: Box, size: int) -> NDArray[np.float64]:
    """Return the 2x3 matrix that takes a box to the square from (0, 0) to (size, size)."""
    x, y = size / max(box.width, 1.0), size / max(box.height, 1.0)
    return np.array([[x, 0.0, -box.x1 * x], [0.0, y, -box.y1 * y]])


def _warped(image: Pixels, matrices: Sequence[NDArray[np.float64]], size: int) -> Pixels:
    crops = np.zeros((len(matrices), size, size, 3), dtype=np.uint8)
    for crop, matrix in zip(crops, matrices, strict=True):
        window, moved = _window(image, matrix, size)
        if window.size:
            cv2.warpAffine(window, moved, (size, size), dst=crop, flags=cv2.INTER_LINEAR)
    return crops


def _window(
    image: Pixels, matrix: NDArray[np.float64], size: int
) -> tuple[Pixels, NDArray[np.float64]]:
    """Return the part of a picture that a crop looks at, and the matrix from there.

    That is the picture itself, unless it is very large or a view that would have to be copied.
    """
    if max(image.shape[:2]) <= _LONGEST and image.flags.c_contiguous:
        return image, matrix
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]], dtype=np.float64)
    seen = np.linalg.solve(matrix[:, :2], (corners - matrix[:, 2]).T)
    first = np.maximum(np.floor(seen.min(axis=1)) - 2, 0).astype(np.int64)
    last = np.maximum(np.ceil(seen.max(axis=1)) + 3, 0).astype(np.int64)
    last = np.minimum(last, first + _LONGEST)
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ first
    window = image[first[1] : last[1], first[0] : last[0]]
    return np.ascontiguousarray(window), shifted
