"""Age and gender by the network of the InsightFace packs (``genderage.onnx``)."""

from collections.abc import Sequence

from facecv.adapters.attributes.classes import chosen
from facecv.adapters.imaging.crop_network import CropNetwork
from facecv.core.arrays import Floats
from facecv.core.attributes import AttributeValue, BoxCropNeed, CropNeed
from facecv.core.errors import ModelSignatureError
from facecv.core.face_view import FaceView, stack_crops
from facecv.core.pack import ModelFile
from facecv.core.ports.inference_backend import Session

PROVIDES = frozenset({"age", "gender"})
_GENDERS = ("female", "male")


class GenderAge:
    """Tells ``age`` (years) and ``gender`` (``female`` or ``male``) from the grown face box."""

    provides = PROVIDES

    def __init__(self, session: Session, model: ModelFile, *, batch_size: int = 16) -> None:
        """Take a loaded network: RGB 0..255 (as its manifest says) to two logits and age / 100.

        Args:
            session: the network.
            model: its file and what its manifest says.
            batch_size: crops in one run; a network of fixed batch gets its own.

        Raises:
            ModelSignatureError: the network has another signature.
        """
        self._network = CropNetwork(
            session, model.spec.input, family="genderage", batch_size=batch_size
        )
        self._name = model.spec.name
        if self._network.length != len(_GENDERS) + 1:
            raise ModelSignatureError(
                f"{self._name} gives {self._network.length} numbers for a face",
                hint="a genderage network gives three: two for the gender, one for the age",
            )

    @property
    def needs(self) -> tuple[CropNeed, ...]:
        """The face box, half as large again."""
        return (BoxCropNeed(size=self._network.side, scale=1.5),)

    def predict(self, faces: Sequence[FaceView], /) -> Sequence[dict[str, AttributeValue]]:
        """Return age and gender of each face; see `AttributeModel`.

        Raises:
            InputError: the crops have another type or shape.
            InferenceError: the network failed.
        """
        crops = stack_crops(faces, self._network.side)
        return [self._read(row) for row in self._network.outputs(crops)]

    def _read(self, row: Floats) -> dict[str, AttributeValue]:
        """Return the attributes that one row of outputs [3] stands for."""
        age = max(0.0, float(row[2]) * 100)
        return {
            "age": AttributeValue(age, model=self._name),
            "gender": chosen(_GENDERS, row[: len(_GENDERS)], self._name),
        }
