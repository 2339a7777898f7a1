"""An attribute model that tells dark from light."""

from collections.abc import Sequence

import attrs

from facecv.core.attributes import AlignedCropNeed, AttributeValue, CropNeed
from facecv.core.face_view import FaceView, stack_crops


@attrs.frozen
class FakeAttributeModel:
    """Says ``tone``: ``light`` or ``dark``, by the mean of the crop that it needs."""

    need: CropNeed = attrs.field(factory=AlignedCropNeed)
    provides: frozenset[str] = frozenset({"tone"})

    @property
    def needs(self) -> tuple[CropNeed, ...]:
        return (self.need,)

    def predict(self, faces: Sequence[FaceView], /) -> Sequence[dict[str, AttributeValue]]:
        crops = stack_crops(faces, self.need.size)
        return [{"tone": self._tone(float(crop.mean()) / 255)} for crop in crops]

    def _tone(self, light: float) -> AttributeValue:
        shares = {"light": light, "dark": 1 - light}
        value = max(shares, key=lambda name: shares[name])
        return AttributeValue(value, shares[value], shares, model="fake")
