"""Passive liveness from one RGB picture by MiniFASNet (Silent-Face-Anti-Spoofing)."""

import re
from collections.abc import Sequence

import attrs
import numpy as np

from facecv.adapters.attributes.classes import softmax
from facecv.adapters.imaging.crop_network import CropNetwork
from facecv.core.arrays import Floats, Pixels
from facecv.core.attributes import AttributeValue, BoxCropNeed, CropNeed
from facecv.core.errors import ManifestError, ModelSignatureError
from facecv.core.face_view import FaceView, stack_crops
from facecv.core.geometry import Box
from facecv.core.liveness import ATTRIBUTE, LIVE, REJECTED, SPOOF, LivenessLimits
from facecv.core.pack import InputSpec, ModelFile
from facecv.core.ports.inference_backend import Session

PROVIDES = frozenset({ATTRIBUTE})
INPUT = InputSpec((80, 80), "bgr", 0.0, 1.0)
_LIVE, _CLASSES = 1, 3
_SCALE_IN_NAME = re.compile(r"(?:^|_)(\d+)(?:\.(\d+)|_(\d+)_\d+)_\d+x\d+")


@attrs.frozen
class ScaledNetwork:
    """One network of the ensemble.

    Attributes:
        network: BGR 0..255 to three logits, of which the second stands for a live face.
        need: what it looks at.
    """

    network: CropNetwork
    need: BoxCropNeed


class MiniFASNet:
    """Tells ``liveness``: ``live``, ``spoof``, or ``rejected`` with the reason.

    The mean of networks that look at the face with more and with less of its surroundings. The
    reason is ``too small``, ``cut off`` or ``too dark``; such faces are not judged.
    """

    provides = PROVIDES

    def __init__(
        self,
        parts: Sequence[tuple[Session, ModelFile]],
        limits: LivenessLimits | None = None,
        *,
        batch_size: int = 16,
    ) -> None:
        """Take loaded networks.

        Args:
            parts: one or more networks with their files. The setting ``crop_scale`` of the model
                says by how much the box is grown; without it, a name such as
                ``2.7_80x80_MiniFASNetV2`` or ``4_0_0_80x80_MiniFASNetV1SE`` does.
            limits: when a face is judged, and how.
            batch_size: crops in one run; a network of fixed batch gets its own.

        Raises:
            ManifestError: nothing says by how much the box is grown.
            ModelSignatureError: a network has another signature.
        """
        self._name = parts[0][1].spec.name
        self._limits = limits or LivenessLimits()
        self._networks = [_scaled(session, model, batch_size) for session, model in parts]

    @property
    def needs(self) -> tuple[CropNeed, ...]:
        """The face with its surroundings, once for each network."""
        return tuple(each.need for each in self._networks)

    def predict(self, faces: Sequence[FaceView], /) -> Sequence[dict[str, AttributeValue]]:
        """Return the liveness of each face; see `AttributeModel`.

        Raises:
            InputError: the crops have another type or shape.
            InferenceError: a network failed.
        """
        crops = [
            stack_crops(faces, each.need.size, index) for index, each in enumerate(self._networks)
        ]
        reasons = [self._obstacle(face) for face in faces]
        judged = np.array([not reason for reason in reasons], dtype=bool)
        shares = iter(self._live([each[judged] for each in crops]).tolist())
        return [
            {ATTRIBUTE: self._rejected(reason) if reason else self._judged(next(shares))}
            for reason in reasons
        ]

    def _live(self, crops: Sequence[Pixels]) -> Floats:
        """Return the probability of a live face for each, float32 [N]."""
        shares = [
            softmax(each.network.outputs(crop))[:, _LIVE]
            for each, crop in zip(self._networks, crops, strict=True)
        ]
        mean: Floats = np.mean(shares, axis=0)
        return mean

    def _judged(self, live: float) -> AttributeValue:
        shares = {LIVE: live, SPOOF: 1 - live}
        value = LIVE if live >= self._limits.threshold else SPOOF
        return AttributeValue(value, shares[value], shares, self._name)

    def _rejected(self, reason: str) -> AttributeValue:
        return AttributeValue(REJECTED, model=self._name, reason=reason)

    def _obstacle(self, face: FaceView) -> str:
        """Return why a face cannot be judged; empty if it can."""
        box, limits = face.detection.box, self._limits
        if min(box.width, box.height) < limits.min_face:
            return "too small"
        inside = box.clipped(face.width, face.height)
        shown = min(inside.width / box.width, inside.height / box.height)
        room = min(face.width / box.width, face.height / box.height)
        if shown < 1 - limits.max_outside or room < limits.min_room:
            return "cut off"
        return "too dark" if self._light(face) < limits.min_light else ""

    def _light(self, face: FaceView) -> float:
        """Return the mean grey of a face, 0..255, from the crop that shows it largest."""
        index = int(np.argmin([each.need.scale for each in self._networks]))
        need, box = self._networks[index].need, face.detection.box
        region = need.region(box, face.width, face.height)
        part = _within(box, region, need.size)
        return float(face.crops[index][part].mean())


def _scaled(session: Session, model: ModelFile, batch_size: int) -> ScaledNetwork:
    network = CropNetwork(session, INPUT, family="MiniFASNet", batch_size=batch_size)
    if network.length != _CLASSES:
        raise ModelSignatureError(
            f"{model.spec.name} gives {network.length} numbers for a face",
            hint="a MiniFASNet gives three, of which the second stands for a live face",
        )
    return ScaledNetwork(network, BoxCropNeed(network.side, _scale_of(model), inside=True))


def _scale_of(model: ModelFile) -> float:
    """Return by how much the box is grown for a network."""
    name = model.spec.name
    said = model.spec.settings.get("crop_scale")
    if said is None and (found := _SCALE_IN_NAME.search(name)):
        whole, fraction, other = found.groups()
        said = float(f"{whole}.{fraction or other}")
    if not isinstance(said, int | float) or isinstance(said, bool) or said < 1:
        raise ManifestError(
            f"nothing says what {name} looks at", hint="write crop_scale = 2.7 in its settings"
        )
    return float(said)


def _within(box: Box, region: Box, size: int) -> tuple[slice, slice]:
    """Return rows and columns of the crop of `region` that show `box`; at least one of each."""
    across, down = size / max(region.width, 1.0), size / max(region.height, 1.0)
    left = min(max(int((box.x1 - region.x1) * across), 0), size - 1)
    top = min(max(int((box.y1 - region.y1) * down), 0), size - 1)
    right = max(int((box.x2 - region.x1) * across), left + 1)
    bottom = max(int((box.y2 - region.y1) * down), top + 1)
    return slice(top, bottom), slice(left, right)
