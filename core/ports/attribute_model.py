"""Port: what can be told about a face."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from facecv.core.arrays import Pixels
from facecv.core.attributes import AttributeValue, CropNeed


class AttributeModel(Protocol):
    """Says something about faces: age, gender, emotion, mask."""

    @property
    def provides(self) -> frozenset[str]:
        """The names of the attributes it gives."""
        ...

    @property
    def needs(self) -> CropNeed:
        """The kind and size of crop it looks at."""
        ...

    def predict(self, crops: Pixels, /) -> Sequence[Mapping[str, AttributeValue]]:
        """Return the attributes of each face.

        Args:
            crops: uint8 [N, S, S, 3] BGR of the kind that `needs` says, N >= 0.
        """
        ...
