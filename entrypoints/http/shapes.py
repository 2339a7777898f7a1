"""What answers look like: the JSON of results."""

from typing import Any

import msgspec
import numpy as np

from facecv.core.attributes import AttributeValue
from facecv.core.embedding import Embedding, EmbeddingSpace
from facecv.core.errors import InputError
from facecv.core.face import Face
from facecv.core.geometry import Box
from facecv.core.image import Image
from facecv.core.quality import Quality


class PixelBox(msgspec.Struct):
    """A box in pixels of the picture, upright."""

    x: float
    y: float
    width: float
    height: float


class NormalizedBox(msgspec.Struct):
    """A box in shares of the picture's width and height, 0..1."""

    left: float
    top: float
    width: float
    height: float


class BoxShape(msgspec.Struct):
    """Where a face is."""

    pixels: PixelBox
    normalized: NormalizedBox


class QualityShape(msgspec.Struct):
    """How usable a face is for recognition; the whole and its parts, each 0..1."""

    score: float
    sharpness: float
    brightness: float
    contrast: float
    pose: float
    size: float
    visibility: float


class SpaceShape(msgspec.Struct, forbid_unknown_fields=True):
    """The space of an embedding: only embeddings of equal spaces may be compared."""

    model: str
    dim: int
    digest: str
    preprocessing: str


class EmbeddingShape(msgspec.Struct, forbid_unknown_fields=True):
    """An embedding: what `embed` answers, and what `verify` and searches take."""

    vector: list[float]
    space: SpaceShape
    norm: float = 1.0

    def value(self) -> Embedding:
        """Return the embedding, of length one.

        Raises:
            InputError: the vector has no length.
            EmbeddingSpaceError: it does not fit its space.
        """
        vector = np.asarray(self.vector, dtype=np.float64)
        length = float(np.linalg.norm(vector))
        if not np.isfinite(length) or length < 1e-6:
            raise InputError("an embedding of no length cannot be compared")
        space = EmbeddingSpace(**msgspec.structs.asdict(self.space))
        return Embedding((vector / length).astype(np.float32), space, self.norm)


class AttributeShape(msgspec.Struct, omit_defaults=True):
    """What an attribute model says; score, probabilities and reason only where there are any."""

    value: Any
    model: str = ""
    score: float | None = None
    probabilities: dict[str, float] = {}
    reason: str = ""


class FaceShape(msgspec.Struct):
    """A face; what was not asked for is null.

    Attributes:
        box: where it is.
        score: confidence of the detector, 0..1.
        landmarks: eyes, nose tip, corners of the mouth, [x, y] in pixels.
        quality: how usable it is for recognition.
        embedding: its embedding.
        attributes: name to what the model says.
    """

    box: BoxShape
    score: float
    landmarks: list[list[float]] | None
    quality: QualityShape | None = None
    embedding: EmbeddingShape | None = None
    attributes: dict[str, AttributeShape] | None = None


class ImageShape(msgspec.Struct):
    """A picture's size in pixels, upright."""

    width: int
    height: int


def image_shape(image: Image) -> ImageShape:
    """Return the size of a picture."""
    return ImageShape(image.width, image.height)


def box_shape(box: Box, image: Image) -> BoxShape:
    """Return a box in pixels to a hundredth, and in shares of the picture."""
    pixels = (round(value, 2) for value in (box.x1, box.y1, box.width, box.height))
    across, down = image.width, image.height
    shares = (box.x1 / across, box.y1 / down, box.width / across, box.height / down)
    return BoxShape(PixelBox(*pixels), NormalizedBox(*(round(share, 6) for share in shares)))


def face_shape(face: Face, image: Image) -> FaceShape:
    """Return all that is known about a face of `image`."""
    points = None
    if face.landmarks is not None:
        points = [[round(float(x), 2), round(float(y), 2)] for x, y in face.landmarks]
    return FaceShape(
        box=box_shape(face.box, image),
        score=round(face.score, 4),
        landmarks=points,
        quality=quality_shape(face.quality),
        embedding=embedding_shape(face.embedding),
        attributes={name: attribute_shape(value) for name, value in face.attributes.items()}
        or None,
    )


def quality_shape(quality: Quality | None) -> QualityShape | None:
    """Return a quality with its parts."""
    if quality is None:
        return None
    names = QualityShape.__struct_fields__
    return QualityShape(*(round(float(getattr(quality, name)), 4) for name in names))


def embedding_shape(embedding: Embedding | None) -> EmbeddingShape | None:
    """Return an embedding with its space; seven decimals keep every float32 cosine."""
    if embedding is None:
        return None
    space = embedding.space
    vector = np.round(embedding.vector.astype(np.float64), 7).tolist()
    shape = SpaceShape(space.model, space.dim, space.digest, space.preprocessing)
    return EmbeddingShape(vector, shape, round(embedding.norm, 4))


def attribute_shape(attribute: AttributeValue) -> AttributeShape:
    """Return what an attribute model says."""
    return AttributeShape(
        value=attribute.plain(),
        model=attribute.model,
        score=None if attribute.score is None else round(attribute.score, 4),
        probabilities={name: round(value, 4) for name, value in attribute.probabilities.items()},
        reason=attribute.reason,
    )
