"""Dense landmarks by the networks of the InsightFace packs (``2d106det``, ``1k3d68``)."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from facecv.adapters.attributes.pose_of_points import head_pose
from facecv.adapters.imaging.crop_network import CropNetwork
from facecv.core.arrays import Floats
from facecv.core.attributes import AttributeValue, BoxCropNeed, CropNeed, LandmarkSet
from facecv.core.errors import ModelSignatureError
from facecv.core.face_view import FaceView, stack_crops
from facecv.core.pack import ModelFile
from facecv.core.ports.inference_backend import Session

_SCALE = 1.5


class _LandmarkNetwork(ABC):
    """A network that gives points of some numbers each, -1 to 1 across the crop."""

    provides: frozenset[str]
    count: int
    axes: int

    def __init__(self, session: Session, model: ModelFile, *, batch_size: int = 16) -> None:
        """Take a loaded network; preprocessing is as its manifest says.

        Raises:
            ModelSignatureError: it has another signature.
        """
        self.name = model.spec.name
        self._network = CropNetwork(
            session, model.spec.input, family="landmark", batch_size=batch_size
        )
        numbers = self._network.length
        if numbers % self.axes or numbers < self.count * self.axes:
            raise ModelSignatureError(
                f"{self.name} gives {numbers} numbers for a face",
                hint=f"{self.count} points of {self.axes} numbers are needed",
            )
        self._need = BoxCropNeed(self._network.side, _SCALE)

    @property
    def needs(self) -> tuple[CropNeed, ...]:
        """The square around the face box, half as large again."""
        return (self._need,)

    def predict(self, faces: Sequence[FaceView], /) -> Sequence[dict[str, AttributeValue]]:
        """Return what the points of each face tell; see `AttributeModel`.

        Raises:
            InputError: the crops have another type or shape.
            InferenceError: the network failed.
        """
        rows = self._network.outputs(stack_crops(faces, self._need.size))
        points = rows.reshape(len(faces), self._network.length // self.axes, self.axes)
        points = points[:, -self.count :]
        return [self._told(self._placed(*each)) for each in zip(faces, points, strict=True)]

    def _placed(self, face: FaceView, points: Floats) -> Floats:
        """Return points of the crop in the pixels of the picture."""
        region = self._need.region(face.detection.box, face.width, face.height)
        placed: Floats = points * np.float32(region.width / 2)
        placed[:, :2] += np.array(region.center, np.float32)
        return placed

    @abstractmethod
    def _told(self, points: Floats) -> dict[str, AttributeValue]:
        """Return the attributes of a face by its points [count, axes], pixels of its picture."""


class Landmarks106(_LandmarkNetwork):
    """Tells ``landmarks_106``: 106 points [106, 2] of contour, brows, eyes, nose and mouth."""

    provides = frozenset({"landmarks_106"})
    count, axes = 106, 2

    def _told(self, points: Floats) -> dict[str, AttributeValue]:
        return {"landmarks_106": AttributeValue(LandmarkSet(points), model=self.name)}


class Landmarks68(_LandmarkNetwork):
    """Tells ``landmarks_68``, 68 points in space [68, 3] in the order of iBUG 300-W, and ``pose``.

    The network gives 1,103 points, of which these are the last.
    """

    provides = frozenset({"landmarks_68", "pose"})
    count, axes = 68, 3

    def _told(self, points: Floats) -> dict[str, AttributeValue]:
        return {
            "landmarks_68": AttributeValue(LandmarkSet(points), model=self.name),
            "pose": AttributeValue(head_pose(points), model=self.name),
        }
