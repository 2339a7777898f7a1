"""Age and gender by the older network of InsightFace (``genderage_v1``)."""

from collections.abc import Sequence

import numpy as np

from facecv.adapters.attributes.classes import chosen
from facecv.adapters.imaging.crop_network import CropNetwork
from facecv.core.arrays import Floats
from facecv.core.attributes import AlignedCropNeed, AttributeValue, CropNeed
from facecv.core.errors import ModelSignatureError
from facecv.core.face_view import FaceView, stack_crops
from facecv.core.pack import ModelFile
from facecv.core.ports.inference_backend import Session

PROVIDES = frozenset({"age", "gender"})
_GENDERS = ("female", "male")
_YEARS = 100


class GenderAgeV1:
    """Tells ``age`` (whole years) and ``gender`` (``female`` or ``male``) from the aligned face.

    The age is counted: for each of a hundred years the network says whether the person is older
    (ordinal regression: Niu et al., CVPR 2016).
    """

    provides = PROVIDES

    def __init__(self, session: Session, model: ModelFile, *, batch_size: int = 16) -> None:
        """Take a loaded network: RGB 0..255 to two logits of the gender and 100 pairs of the age.

        Args:
            session: the network.
            model: its file and what its manifest says.
            batch_size: crops in one run; a network of fixed batch gets its own.

        Raises:
            ModelSignatureError: the network has another signature.
        """
        self._network = CropNetwork(
            session, model.spec.input, family="genderage_v1", batch_size=batch_size
        )
        self._name = model.spec.name
        wanted = len(_GENDERS) + 2 * _YEARS
        if self._network.length != wanted:
            raise ModelSignatureError(
                f"{self._name} gives {self._network.length} numbers for a face",
                hint=f"a genderage_v1 network gives {wanted}: two for the gender, two a year",
            )

    @property
    def needs(self) -> tuple[CropNeed, ...]:
        """The aligned face."""
        return (AlignedCropNeed(self._network.side),)

    def predict(self, faces: Sequence[FaceView], /) -> Sequence[dict[str, AttributeValue]]:
        """Return age and gender of each face; see `AttributeModel`.

        Raises:
            InputError: the crops have another type or shape.
            InferenceError: the network failed.
        """
        crops = stack_crops(faces, self._network.side)
        return [self._read(row) for row in self._network.outputs(crops)]

    def _read(self, row: Floats) -> dict[str, AttributeValue]:
        """Return the attributes that one row of outputs [202] stands for."""
        older = row[len(_GENDERS) :].reshape(_YEARS, 2).argmax(axis=1)
        return {
            "age": AttributeValue(float(np.count_nonzero(older)), model=self._name),
            "gender": chosen(_GENDERS, row[: len(_GENDERS)], self._name),
        }
