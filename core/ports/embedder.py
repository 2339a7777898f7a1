"""Port: turning aligned faces into vectors."""

from typing import Protocol

from facecv.core.arrays import Floats, Pixels
from facecv.core.embedding import EmbeddingSpace


class Embedder(Protocol):
    """Turns aligned faces into vectors that may be compared."""

    @property
    def space(self) -> EmbeddingSpace:
        """The space of its vectors."""
        ...

    @property
    def input_size(self) -> int:
        """Side, in pixels, of the square crops it wants (112 for the ArcFace family)."""
        ...

    def embed(self, crops: Pixels, /) -> tuple[Floats, Floats]:
        """Return the vectors of aligned faces.

        Args:
            crops: uint8 [N, S, S, 3] BGR, N >= 0, S = `input_size`.

        Returns:
            Vectors float32 [N, D] of length one, and float32 [N] lengths of the network's outputs
            before they were normalised.
        """
        ...
