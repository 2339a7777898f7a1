"""Faces as an attribute model sees them."""

from collections.abc import Sequence

import attrs
import numpy as np

from facecv.core.arrays import Pixels
from facecv.core.errors import InputError
from facecv.core.face import Detection


@attrs.frozen(eq=False)
class FaceView:
    """One face, cut out of its picture as a model needs it.

    Attributes:
        detection: where the face is, in pixels of the picture as given.
        width: of the picture, pixels.
        height: of the picture, pixels.
        crops: uint8 [S, S, 3] BGR, one for each of the model's `needs`, in their order.
    """

    detection: Detection
    width: int
    height: int
    crops: tuple[Pixels, ...] = ()


def stack_crops(faces: Sequence[FaceView], size: int, need: int = 0) -> Pixels:
    """Return the crops of faces in one array, uint8 [N, size, size, 3] BGR.

    Args:
        faces: N >= 0 faces.
        size: side of the crops, pixels.
        need: which of the model's needs.

    Raises:
        InputError: a crop is missing, or has another type or size.
    """
    crops = [face.crops[need] if need < len(face.crops) else None for face in faces]
    for crop in crops:
        if crop is None or crop.dtype != np.uint8 or crop.shape != (size, size, 3):
            got = "none" if crop is None else f"{crop.dtype} {list(crop.shape)}"
            raise InputError(f"crops must be uint8 [{size}, {size}, 3], got {got}")
    whole = [crop for crop in crops if crop is not None]
    return np.stack(whole) if whole else np.zeros((0, size, size, 3), np.uint8)
