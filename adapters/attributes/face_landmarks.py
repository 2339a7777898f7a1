"""Dense landmarks by the networks of the InsightFace packs (``2d106det``, ``1k3d68``)."""

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

PROVIDES_106 = frozenset({"landmarks_106"})
PROVIDES_68 = frozenset({"landmarks_68", "pose"})
_SCALE = 1.5


class _Points:
    """A network that gives points of K numbers each, -1 to 1 across the crop."""

    def __init__(
        self, session: Session, model: ModelFile, *, count: int, axes: int, batch_size: int
    ) -> None:
        self.name = model.spec.name
        self._network = CropNetwork(
            session, model.spec.input, family="landmark", batch_size=batch_size
        )
        self._count, self._axes = count, axes
        numbers = self._network.length
        if numbers % axes or numbers < count * axes:
            raise ModelSignatureError(
                f"{self.name} gives {numbers} numbers for a face",
                hint=f"{count} points of {axes} numbers are needed",
            )
        self.need = BoxCropNeed(self._network.side, _SCALE)

    def find(self, faces: Sequence[FaceView]) -> list[Floats]:
        """Return the points of each face, float32 [count, axes], in pixels of its picture."""
        rows = self._network.outputs(stack_crops(faces, self.need.size))
        points = rows.reshape(len(faces), self._network.length // self._axes, self._axes)
        points = points[:, -self._count :]
        return [self._placed(face, each) for face, each in zip(faces, points, strict=True)]

    def _placed(self, face: FaceView, points: Floats) -> Floats:
        """Return points of the crop in the pixels of the picture."""
        region = self.need.region(face.detection.box, face.width, face.height)
        half = region.width / 2
        placed: Floats = points * np.float32(half)
        placed[:, :2] += np.array(region.center, np.float32)
        return placed


class Landmarks106:
    """Tells ``landmarks_106``: 106 points [106, 2] of contour, brows, eyes, nose and mouth."""

    provides = PROVIDES_106

    def __init__(self, session: Session, model: ModelFile, *, batch_size: int = 16) -> None:
        """Take a loaded network: preprocessing as its manifest says, 212 numbers a face.

        Raises:
            ModelSignatureError: it has another signature.
        """
        self._points = _Points(session, model, count=106, axes=2, batch_size=batch_size)

    @property
    def needs(self) -> tuple[CropNeed, ...]:
        """The square around the face box, half as large again."""
        return (self._points.need,)

    def predict(self, faces: Sequence[FaceView], /) -> Sequence[dict[str, AttributeValue]]:
        """Return the points of each face; see `AttributeModel`.

        Raises:
            InputError: the crops have another type or shape.
            InferenceError: the network failed.
        """
        name = self._points.name
        return [
            {"landmarks_106": AttributeValue(LandmarkSet(points), model=name)}
            for points in self._points.find(faces)
        ]


class Landmarks68:
    """Tells ``landmarks_68``, 68 points in space [68, 3] in the order of iBUG 300-W, and ``pose``.

    The network gives 1,103 points, of which these are the last.
    """

    provides = PROVIDES_68

    def __init__(self, session: Session, model: ModelFile, *, batch_size: int = 16) -> None:
        """Take a loaded network: preprocessing as its manifest says, 3 x 1,103 numbers a face.

        Raises:
            ModelSignatureError: it has another signature.
        """
        self._points = _Points(session, model, count=68, axes=3, batch_size=batch_size)

    @property
    def needs(self) -> tuple[CropNeed, ...]:
        """The square around the face box, half as large again."""
        return (self._points.need,)

    def predict(self, faces: Sequence[FaceView], /) -> Sequence[dict[str, AttributeValue]]:
        """Return points and pose of each face; see `AttributeModel`.

        Raises:
            InputError: the crops have another type or shape.
            InferenceError: the network failed.
        """
        name = self._points.name
        return [
            {
                "landmarks_68": AttributeValue(LandmarkSet(points), model=name),
                "pose": AttributeValue(head_pose(points), model=name),
            }
            for points in self._points.find(faces)
        ]
