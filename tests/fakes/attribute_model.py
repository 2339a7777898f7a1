"""An attribute model that tells dark from light."""

from collections.abc import Sequence

import attrs

from facecv.core.arrays import Pixels
from facecv.core.attributes import AlignedCropNeed, AttributeValue, CropNeed
from facecv.core.errors import InputError


@attrs.frozen
class FakeAttributeModel:
    """Says ``tone``: ``light`` or ``dark``, by the mean of the crop that it needs."""

    needs: CropNeed = attrs.field(factory=AlignedCropNeed)
    provides: frozenset[str] = frozenset({"tone"})

    def predict(self, crops: Pixels, /) -> Sequence[dict[str, AttributeValue]]:
        if crops.shape[1:] != (self.needs.size, self.needs.size, 3):
            raise InputError(f"crops of {list(crops.shape)}")
        return [{"tone": self._tone(float(crop.mean()) / 255)} for crop in crops]

    def _tone(self, light: float) -> AttributeValue:
        shares = {"light": light, "dark": 1 - light}
        value = max(shares, key=lambda name: shares[name])
        return AttributeValue(value, shares[value], shares, model="fake")
