"""Cutting the faces of a batch out of their pictures, each way once."""

from collections.abc import Mapping, Sequence

import numpy as np

from facecv.core.arrays import Floats, Pixels
from facecv.core.attributes import AlignedCropNeed, BoxCropNeed, CropNeed
from facecv.core.errors import InputError
from facecv.core.face import Detection
from facecv.core.face_view import FaceView
from facecv.core.ports.face_aligner import FaceAligner

Found = tuple[Pixels, Detection]
"""A picture, uint8 [H, W, 3] BGR, and a face in it."""


class Cuts:
    """The faces of a batch cut out of their pictures.

    Attributes:
        marked: indices of the faces that have landmarks.
    """

    def __init__(self, aligner: FaceAligner, found: Sequence[Found]) -> None:
        self._aligner = aligner
        self._found = found
        self._cut: dict[CropNeed, Mapping[int, Pixels]] = {}
        self.marked = [i for i, (_, face) in enumerate(found) if face.landmarks is not None]

    def aligned(self, size: int) -> Pixels:
        """Return aligned crops of the marked faces, uint8 [N, size, size, 3] BGR."""
        crops = self._crops(AlignedCropNeed(size))
        return np.stack([crops[i] for i in self.marked]) if self.marked else _none(size)

    def views(self, needs: Sequence[CropNeed]) -> Mapping[int, FaceView]:
        """Return the faces that can be cut as `needs` says, by index."""
        cut = [self._crops(need) for need in needs]
        return {
            index: FaceView(
                face, image.shape[1], image.shape[0], tuple(crops[index] for crops in cut)
            )
            for index, (image, face) in enumerate(self._found)
            if all(index in crops for crops in cut)
        }

    def _crops(self, need: CropNeed) -> Mapping[int, Pixels]:
        """Return the crop of each face that can be cut so, by index."""
        if need not in self._cut:
            if isinstance(need, AlignedCropNeed):
                self._cut[need] = {index: self._align(index, need.size) for index in self.marked}
            else:
                everybody = range(len(self._found))
                self._cut[need] = {index: self._crop(index, need) for index in everybody}
        return self._cut[need]

    def _align(self, index: int, size: int) -> Pixels:
        image, face = self._found[index]
        crop: Pixels = self._aligner.align(image, [landmarks_of(face)], size)[0]
        return crop

    def _crop(self, index: int, need: BoxCropNeed) -> Pixels:
        image, face = self._found[index]
        height, width = image.shape[:2]
        box = need.region(face.box, width, height)
        crop: Pixels = self._aligner.crop(image, [box], need.size)[0]
        return crop


def landmarks_of(detection: Detection) -> Floats:
    """Return the landmarks of a face; raise `InputError` where it has none."""
    if detection.landmarks is None:
        raise InputError("a face without landmarks cannot be aligned")
    return detection.landmarks


def _none(size: int) -> Pixels:
    return np.zeros((0, size, size, 3), dtype=np.uint8)
