"""The ArcFace family: r50, r100, MobileFaceNet and whatever has their signature."""

import attrs
import numpy as np

from facecv.adapters.imaging.crop_network import CropNetwork
from facecv.core.arrays import Floats, Pixels
from facecv.core.embedding import EmbeddingSpace, normalized
from facecv.core.errors import ModelSignatureError
from facecv.core.pack import ModelFile
from facecv.core.ports.inference_backend import Session

LEAST = 16
"""Numbers below which a row is no embedding but classes or a measure."""

ATTRIBUTES = {202: "an age and a gender", 212: "106 landmarks", 3309: "68 landmarks in space"}
"""What rows of the other published networks for aligned faces hold, by their length."""


class ArcFace:
    """Embeds aligned faces with a network of the ArcFace family."""

    def __init__(
        self, session: Session, model: ModelFile, *, flip: bool = False, batch_size: int = 16
    ) -> None:
        """Take a loaded network.

        Args:
            session: the network.
            model: its file and what its manifest says.
            flip: average the outputs for a crop and its mirror image: twice the work, slightly
                better, and another embedding space.
            batch_size: crops in one run; a network of fixed batch gets its own.

        Raises:
            ModelSignatureError: the network is not of the ArcFace family.
        """
        self._network = CropNetwork(
            session, model.spec.input, family="ArcFace", batch_size=batch_size
        )
        _check_length(self._network.length, model)
        self._flip = flip
        space = model.space(self._network.length)
        preprocessing = space.preprocessing + ("+flip" if flip else "")
        self._space = attrs.evolve(space, preprocessing=preprocessing)

    @property
    def space(self) -> EmbeddingSpace:
        """The space of its vectors."""
        return self._space

    @property
    def input_size(self) -> int:
        """Side of the crops it wants, pixels."""
        return self._network.side

    def embed(self, crops: Pixels, /) -> tuple[Floats, Floats]:
        """Return unit vectors float32 [N, D] and lengths float32 [N]; see `Embedder`.

        Raises:
            InputError: the crops have another type or shape.
            InferenceError: the network failed or gave numbers that are not finite.
        """
        outputs = self._network.outputs(crops)
        if self._flip:
            outputs = (outputs + self._network.outputs(crops[:, :, ::-1])) / np.float32(2)
        return normalized(outputs)


def _check_length(length: int, model: ModelFile) -> None:
    """Raise unless a row of `length` numbers may be an embedding."""
    if length < LEAST or length in ATTRIBUTES:
        meaning = ATTRIBUTES.get(length, "too few for an embedding")
        raise ModelSignatureError(
            f"{model.path} is no embedder: the {length} numbers it gives for a face are {meaning}",
            hint="name an embedder, or list this file in 'attributes'",
        )
