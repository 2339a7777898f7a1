"""Cutting the faces of a batch out of their pictures, each way once."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from facecv.core.arrays import Floats, Pixels
from facecv.core.attributes import AlignedCropNeed, BoxCropNeed, CropNeed
from facecv.core.errors import InputError
from facecv.core.face import Detection
from facecv.core.face_view import FaceView
from facecv.core.geometry import Box, arcface_transform
from facecv.core.image import Image
from facecv.core.ports.face_aligner import FaceAligner
from facecv.core.ports.meter import Meter
from facecv.core.services.metering import NoMeter, timed

Found = tuple[Image | Pixels, Detection]
"""A picture, or its pixels uint8 [H, W, 3] BGR, and a face in it."""


class Cuts:
    """The faces of a batch cut out of their pictures.

    A face is cut out of the preview of its picture where that does not have to be enlarged for it,
    and out of the full picture otherwise.

    Attributes:
        marked: indices of the faces that have landmarks.
    """

    def __init__(
        self, aligner: FaceAligner, found: Sequence[Found], meter: Meter | None = None
    ) -> None:
        self._aligner = aligner
        self._meter = meter or NoMeter()
        self._found = [(Image.of(image), face) for image, face in found]
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
            index: FaceView(face, image.width, image.height, tuple(crops[index] for crops in cut))
            for index, (image, face) in enumerate(self._found)
            if all(index in crops for crops in cut)
        }

    def _crops(self, need: CropNeed) -> Mapping[int, Pixels]:
        """Return the crop of each face that can be cut so, by index."""
        if need not in self._cut:
            if isinstance(need, AlignedCropNeed):
                with timed(self._meter, "align", len(self.marked)):
                    crops = {index: self._align(index, need.size) for index in self.marked}
                self._cut[need] = crops
            else:
                everybody = range(len(self._found))
                self._cut[need] = {index: self._crop(index, need) for index in everybody}
        return self._cut[need]

    def _align(self, index: int, size: int) -> Pixels:
        image, face = self._found[index]
        points = landmarks_of(face)
        pixels, reduction = _sharp(image, lambda: _alignment_scale(points, size))
        crop: Pixels = self._aligner.align(pixels, [_reduced(points, reduction)], size)[0]
        return crop

    def _crop(self, index: int, need: BoxCropNeed) -> Pixels:
        image, face = self._found[index]
        box = need.region(face.box, image.width, image.height)
        pixels, reduction = _sharp(image, lambda: need.size / max(min(box.width, box.height), 1.0))
        corners = np.array(box.as_tuple(), dtype=np.float32)
        place = box if reduction == 1 else Box(*_reduced(corners, reduction).tolist())
        crop: Pixels = self._aligner.crop(pixels, [place], need.size)[0]
        return crop


def _sharp(image: Image, scale: Callable[[], float]) -> tuple[Pixels, int]:
    """Return the pixels to cut a face out of, and how much they are reduced.

    Args:
        image: the picture.
        scale: returns pixels of the crop for each pixel of the full picture.
    """
    preview = image.preview
    if preview and scale() * preview.reduction <= 1:
        return preview.pixels, preview.reduction
    return image.view, 1


def _alignment_scale(landmarks: Floats, size: int) -> float:
    return float(np.hypot(*arcface_transform(landmarks, size)[:, 0]))


def _reduced(coordinates: Floats, reduction: int) -> Floats:
    """Return coordinates of the full picture in a reduced one; pixels have their centres at .5."""
    if reduction == 1:
        return coordinates
    reduced: Floats = (coordinates + np.float32(0.5)) / np.float32(reduction) - np.float32(0.5)
    return reduced


def landmarks_of(detection: Detection) -> Floats:
    """Return the landmarks of a face; raise `InputError` where it has none."""
    if detection.landmarks is None:
        raise InputError("a face without landmarks cannot be aligned")
    return detection.landmarks


def _none(size: int) -> Pixels:
    return np.zeros((0, size, size, 3), dtype=np.uint8)
