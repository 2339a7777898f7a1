"""Head pose by FSA-Net (Yang et al., CVPR 2019), as the mean of one or several networks."""

from collections.abc import Sequence

import numpy as np

from facecv.adapters.imaging.crop_network import CropNetwork
from facecv.core.attributes import AttributeValue, BoxCropNeed, CropNeed, HeadPose
from facecv.core.errors import ModelSignatureError
from facecv.core.face_view import FaceView, stack_crops
from facecv.core.pack import InputSpec
from facecv.core.ports.inference_backend import Session

PROVIDES = frozenset({"pose"})
INPUT = InputSpec((64, 64), "bgr", 127.5, 128.0)
_SCALE = 1.5
"""The networks were trained on loose crops. On 31 photos and their mirror images the two published
networks agree best, and a mirrored face gets the mirrored pose best (within 1.3 degrees), between
1.4 and 1.6 times the box of SCRFD; on the box itself they are off by 5."""


class FSANet:
    """Tells ``pose`` (`HeadPose`) from the surroundings of the face box."""

    provides = PROVIDES

    def __init__(self, sessions: Sequence[Session], name: str, *, batch_size: int = 16) -> None:
        """Take loaded networks: BGR, (x - 127.5) / 128, to yaw, pitch and roll in degrees.

        Args:
            sessions: one or more networks, whose angles are averaged.
            name: what they are called together.
            batch_size: crops in one run; a network of fixed batch gets its own.

        Raises:
            ModelSignatureError: a network has another signature, or another size of input.
        """
        self._name = name
        self._networks = [
            CropNetwork(session, INPUT, family="FSA-Net", batch_size=batch_size)
            for session in sessions
        ]
        sides = {network.side for network in self._networks}
        if len(sides) != 1 or any(network.length != 3 for network in self._networks):
            raise ModelSignatureError(
                f"{name} is not FSA-Net",
                hint="its networks give three angles for crops of one size",
            )
        self._side = sides.pop()

    @property
    def needs(self) -> tuple[CropNeed, ...]:
        """The square around the face box, half as large again."""
        return (BoxCropNeed(self._side, _SCALE),)

    def predict(self, faces: Sequence[FaceView], /) -> Sequence[dict[str, AttributeValue]]:
        """Return the pose of each face; see `AttributeModel`.

        Raises:
            InputError: the crops have another type or shape.
            InferenceError: a network failed.
        """
        crops = stack_crops(faces, self._side)
        angles = np.mean([network.outputs(crops) for network in self._networks], axis=0)
        # In the data set behind FSA-Net (300W-LP) a yaw above 0 looks to the left of the picture.
        poses = [HeadPose(-yaw, pitch, roll) for yaw, pitch, roll in angles.tolist()]
        return [{"pose": AttributeValue(pose, model=self._name)} for pose in poses]
