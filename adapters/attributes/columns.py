"""Attribute networks whose manifest says what each number of their output means."""

from collections.abc import Mapping, Sequence
from typing import Any

from facecv.adapters.attributes.classes import likeliest, softmax
from facecv.adapters.attributes.layout import read_layout
from facecv.adapters.imaging.crop_network import CropNetwork
from facecv.core.arrays import Floats
from facecv.core.attributes import AlignedCropNeed, AttributeValue, BoxCropNeed, CropNeed
from facecv.core.errors import ManifestError, ModelSignatureError
from facecv.core.face_view import FaceView, stack_crops
from facecv.core.pack import ModelFile
from facecv.core.ports.inference_backend import Session


class ColumnAttributes:
    """Tells what the columns of a network's output [N, K] are declared to be.

    The settings of the model in its manifest are ``columns``, a list of K texts: ``NAME`` is a
    number as it stands (an age in years), ``NAME=CLASS`` the probability of a class; ``softmax``,
    for a network that gives logits instead of probabilities; and, for one that looks at the face
    box instead of the aligned crop, ``box_scale``, by which the square around the box is grown.
    """

    def __init__(self, session: Session, model: ModelFile, *, batch_size: int = 16) -> None:
        """Take a loaded network.

        Args:
            session: the network.
            model: its file and what its manifest says.
            batch_size: crops in one run; a network of fixed batch gets its own.

        Raises:
            ManifestError: the manifest does not say what the columns mean.
            ModelSignatureError: the network has another signature, or other columns.
        """
        self._name = model.spec.name
        self._layout = read_layout(self._name, model.spec.settings)
        self._scale = _read_scale(self._name, model.spec.settings)
        self._logits = model.spec.settings.get("softmax", False) is True
        self._network = CropNetwork(
            session, model.spec.input, family="attribute", batch_size=batch_size
        )
        if self._network.length != self._layout.length:
            raise ModelSignatureError(
                f"{self._name} gives {self._network.length} numbers for a face, "
                f"its manifest names {self._layout.length} columns"
            )

    @property
    def provides(self) -> frozenset[str]:
        """The names of the attributes it gives."""
        return self._layout.provides

    @property
    def needs(self) -> tuple[CropNeed, ...]:
        """The aligned crop, or the face box where the manifest says so."""
        side = self._network.side
        return (AlignedCropNeed(side) if self._scale is None else BoxCropNeed(side, self._scale),)

    def predict(self, faces: Sequence[FaceView], /) -> Sequence[dict[str, AttributeValue]]:
        """Return the attributes of each face; see `AttributeModel`.

        Raises:
            InputError: the crops have another type or shape.
            InferenceError: the network failed.
        """
        crops = stack_crops(faces, self._network.side)
        return [self._read(row) for row in self._network.outputs(crops)]

    def _read(self, row: Floats) -> dict[str, AttributeValue]:
        """Return the attributes that one row of outputs [K] stands for."""
        said = {
            name: AttributeValue(float(row[column]), model=self._name)
            for name, column in self._layout.numbers.items()
        }
        for name, columns in self._layout.classes.items():
            numbers = row[list(columns.values())]
            shares = softmax(numbers) if self._logits else numbers
            said[name] = likeliest(dict(zip(columns, shares.tolist(), strict=True)), self._name)
        return said


def _read_scale(name: str, settings: Mapping[str, Any]) -> float | None:
    scale = settings.get("box_scale")
    if scale is None:
        return None
    if not isinstance(scale, int | float) or isinstance(scale, bool) or scale <= 0:
        raise ManifestError(f"box_scale of {name} must be a number above 0, got {scale!r}")
    return float(scale)
