"""Embeddings, and the space that says which of them may be compared."""

import attrs
import numpy as np

from facecv.core.arrays import Floats, as_vector, same_array
from facecv.core.errors import EmbeddingSpaceError


@attrs.frozen
class EmbeddingSpace:
    """The identity of a space of embeddings.

    Two embeddings may be compared if and only if their spaces are equal. A change of provider or
    of precision that keeps cosine >= 0.999 stays in one space; another model never does.

    Attributes:
        model: name of the network.
        dim: length of its vectors.
        digest: SHA-256 of the weights, hexadecimal.
        preprocessing: version of alignment and normalisation, such as ``arcface-112-rgb``.
    """

    model: str
    dim: int = attrs.field(validator=attrs.validators.gt(0))
    digest: str
    preprocessing: str

    def __str__(self) -> str:
        return f"{self.model}/{self.dim}/{self.digest[:12]}/{self.preprocessing}"


@attrs.frozen
class Embedding:
    """One face as a point on the unit sphere.

    Attributes:
        vector: float32 [D], of length one, read-only.
        space: the space it lives in.
        norm: length of the network's output before normalisation (grows with image quality).
    """

    vector: Floats = attrs.field(converter=as_vector, eq=same_array, hash=False)
    space: EmbeddingSpace
    norm: float = 1.0

    def __attrs_post_init__(self) -> None:
        if len(self.vector) != self.space.dim:
            raise EmbeddingSpaceError(
                f"a vector of {len(self.vector)} numbers is not of the space {self.space}"
            )
        if not np.isfinite(self.vector).all():
            raise EmbeddingSpaceError(f"an embedding of {self.space} is not finite")

    def __repr__(self) -> str:
        return f"Embedding(space={self.space!s})"  # a vector is personal data: it is not shown

    def cosine(self, other: "Embedding") -> float:
        """Return the cosine similarity with `other`, -1..1.

        Raises:
            EmbeddingSpaceError: the two are of different spaces.
        """
        check_same_space(self.space, other.space)
        return float(np.clip(self.vector @ other.vector, -1.0, 1.0))


def check_same_space(one: EmbeddingSpace, other: EmbeddingSpace) -> None:
    """Raise `EmbeddingSpaceError`, naming both, unless the two spaces are the same."""
    if one != other:
        raise EmbeddingSpaceError(
            f"embeddings of {one} and of {other} cannot be compared",
            hint="embed both with one model, or use the collection with the model it was made with",
            details={"spaces": [str(one), str(other)]},
        )


def normalized(vectors: Floats) -> tuple[Floats, Floats]:
    """Return `vectors` [N, D] scaled to length one, and their lengths [N]; zero stays zero."""
    norms = np.linalg.norm(vectors, axis=1).astype(np.float32)
    return vectors / np.maximum(norms, np.float32(1e-12))[:, None], norms
