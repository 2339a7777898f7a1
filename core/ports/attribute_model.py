"""Port: what can be told about a face."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from facecv.core.attributes import AttributeValue, CropNeed
from facecv.core.face_view import FaceView


class AttributeModel(Protocol):
    """Says something about faces: age, gender, emotion, mask, liveness, pose, landmarks."""

    @property
    def provides(self) -> frozenset[str]:
        """The names of the attributes it gives."""
        ...

    @property
    def needs(self) -> tuple[CropNeed, ...]:
        """The kind and size of each crop it looks at; empty: it looks at box and landmarks only.

        A face without landmarks is not shown to a model that needs an aligned crop.
        """
        ...

    def predict(self, faces: Sequence[FaceView], /) -> Sequence[Mapping[str, AttributeValue]]:
        """Return the attributes of each face; one that cannot be told is left out.

        Faces do not influence one another: they may be of several pictures and requests.

        Args:
            faces: N >= 0 faces, cut out as `needs` says.

        Raises:
            InputError: a crop is not what `needs` says.
        """
        ...
