"""An embedder whose vectors are colours."""

import attrs
import numpy as np

from facecv.core.arrays import Floats, Pixels
from facecv.core.embedding import EmbeddingSpace, normalized
from facecv.core.errors import InputError


@attrs.frozen
class FakeEmbedder:
    """Gives the colours of the four quarters of a crop, less the mean grey, as a vector of twelve.

    Crops of like colours are alike; a crop of another colour is somebody else.
    """

    space: EmbeddingSpace = attrs.field(
        factory=lambda: EmbeddingSpace("fake", 12, "0" * 64, "fake-112")
    )
    input_size: int = 112

    def embed(self, crops: Pixels, /) -> tuple[Floats, Floats]:
        if crops.shape[1:] != (self.input_size, self.input_size, 3):
            raise InputError(f"crops of {list(crops.shape)}")
        half = self.input_size // 2
        quarters = crops.reshape(-1, 2, half, 2, half, 3).astype(np.float32).mean(axis=(2, 4))
        return normalized(quarters.reshape(-1, 12) - np.float32(127.25))
