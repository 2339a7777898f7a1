"""A face aligner without OpenCV."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facecv.core.arrays import Floats, Pixels
from facecv.core.geometry import Box, arcface_transform


class FakeFaceAligner:
    """Takes the nearest pixel instead of blending four: ``FakeFaceAligner()``."""

    def align(self, image: Pixels, landmarks: Sequence[Floats], size: int, /) -> Pixels:
        return _sampled(image, [arcface_transform(points, size) for points in landmarks], size)

    def crop(self, image: Pixels, boxes: Sequence[Box], size: int, /) -> Pixels:
        scales = [(size / max(box.width, 1.0), size / max(box.height, 1.0)) for box in boxes]
        matrices = [
            np.array([[x, 0, -box.x1 * x], [0, y, -box.y1 * y]])
            for box, (x, y) in zip(boxes, scales, strict=True)
        ]
        return _sampled(image, matrices, size)


def _sampled(image: Pixels, matrices: Sequence[NDArray[np.float64]], size: int) -> Pixels:
    grid = np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=-1).reshape(-1, 2)
    crops = np.zeros((len(matrices), size * size, 3), dtype=np.uint8)
    for crop, matrix in zip(crops, matrices, strict=True):
        places = np.linalg.solve(matrix[:, :2], (grid - matrix[:, 2]).T).round().astype(np.int64)
        inside = ((places >= 0) & (places < [[image.shape[1]], [image.shape[0]]])).all(axis=0)
        crop[inside] = image[places[1, inside], places[0, inside]]
    return crops.reshape(-1, size, size, 3)
