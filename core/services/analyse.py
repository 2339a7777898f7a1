"""From a picture to faces: decode, detect, align, measure, embed, describe."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

import attrs
import numpy as np

from facecv.core.arrays import Pixels
from facecv.core.embedding import Embedding, EmbeddingSpace, check_same_space
from facecv.core.errors import InputError
from facecv.core.face import Face
from facecv.core.image import Image, ImageSource
from facecv.core.pack import RecognitionSpec
from facecv.core.ports.detector import Detector
from facecv.core.ports.embedder import Embedder
from facecv.core.ports.face_aligner import FaceAligner
from facecv.core.ports.image_decoder import ImageDecoder
from facecv.core.ports.meter import Meter
from facecv.core.quality import measure_quality
from facecv.core.services.attributes import AttributeModels, Said
from facecv.core.services.cuts import Cuts, Found, landmarks_of
from facecv.core.services.find import FindOptions, find_faces
from facecv.core.services.metering import NoMeter, timed
from facecv.core.services.registry import Reference, Registry
from facecv.core.services.slot import Loaded

_CROP = 112


@attrs.frozen
class Want:
    """What to find out about each face, beside where it is.

    Attributes:
        quality: measure how usable the face is.
        embedding: compute the embedding.
        crop: keep the aligned 112x112 crop.
        attributes: names of attributes; None: all that the configured models give.
    """

    quality: bool = True
    embedding: bool = True
    crop: bool = False
    attributes: frozenset[str] | None = frozenset()


@attrs.frozen
class Choice:
    """Which of several models to use.

    Attributes:
        detector: its reference; empty: the default.
        embedder: its reference, or the space its embeddings must be of; empty: the default.
    """

    detector: str = ""
    embedder: Reference = ""


@attrs.define(eq=False)
class Analyser:
    """Looks at pictures. Safe to use from several threads; models load when first needed.

    A call uses the models it began with to its end, even if others become the defaults meanwhile.
    """

    decoder: ImageDecoder
    aligner: FaceAligner
    detector: Registry[Detector]
    embedder: Registry[Embedder]
    attribute_models: AttributeModels = attrs.field(factory=AttributeModels)
    find: FindOptions = attrs.field(factory=FindOptions)
    choice: Choice = attrs.field(factory=Choice)
    meter: Meter = attrs.field(factory=NoMeter)

    def using(self, *, detector: str = "", embedder: str = "") -> Self:
        """Return an analyser that uses these models (by reference; empty: as this one)."""
        choice = Choice(detector or self.choice.detector, embedder or self.choice.embedder)
        return attrs.evolve(self, choice=choice)

    def in_space(self, space: EmbeddingSpace) -> Self:
        """Return an analyser whose embeddings are of `space`, whatever the default embedder is.

        Its methods raise `ModelNotFoundError` where no model at hand has that space.
        """
        return attrs.evolve(self, choice=attrs.evolve(self.choice, embedder=space))

    @property
    def recognition(self) -> RecognitionSpec:
        """What the manifest of the embedder in use says about thresholds."""
        return self.embedder.slot(self.choice.embedder).recognition

    def read(self, source: ImageSource | Image, find: FindOptions | None = None) -> Image:
        """Return `source` as a picture, decoded as far as finding faces needs it.

        Raises what the decoder raises.
        """
        if isinstance(source, Image):
            return source
        with timed(self.meter, "decode", 1):
            return self.decoder.decode(source, (find or self.find).side)

    def detect(self, images: Sequence[Image], find: FindOptions | None = None) -> list[list[Face]]:
        """Return the faces of each picture with their quality, without loading an embedder."""
        return self.analyse(images, Want(embedding=False), find)

    def analyse(
        self, images: Sequence[Image], want: Want, find: FindOptions | None = None
    ) -> list[list[Face]]:
        """Return the faces of each picture with all that `want` asks for.

        The faces of all pictures go through each network in one batch.
        """
        with (
            self.detector.use(self.choice.detector) as detector,
            timed(self.meter, "detect", len(images), detector.name),
        ):
            found = find_faces(detector.model, images, find or self.find)
        flat = [(image, face) for image, faces in zip(images, found, strict=True) for face in faces]
        described = iter(self.describe(flat, want))
        return [[next(described) for _ in faces] for faces in found]

    def embed_crops(self, crops: Pixels) -> list[Embedding]:
        """Return the embeddings of faces that are already aligned.

        Args:
            crops: uint8 [N, S, S, 3] BGR, S the input size of the embedder.
        """
        with self.hold_embedder() as embedder:
            return self._embedded(embedder, crops)

    @contextmanager
    def hold_embedder(self) -> Iterator[Loaded[Embedder]]:
        """Hold the embedder in use for the length of a block.

        Raises:
            EmbeddingSpaceError: it does not give embeddings of the space that was asked for.
        """
        with self.embedder.use(self.choice.embedder) as embedder:
            if isinstance(self.choice.embedder, EmbeddingSpace):
                check_same_space(self.choice.embedder, embedder.model.space)
            yield embedder

    def describe(self, found: Sequence[Found], want: Want) -> list[Face]:
        """Return faces for detections that were made before, of one or several pictures.

        Those without landmarks get no crop and no embedding.

        Args:
            found: pairs of a picture (or its pixels, uint8 [H, W, 3] BGR) and a face in it.
            want: what to find out.
        """
        faces = [Face(detection) for _, detection in found]
        cuts = Cuts(self.aligner, found, self.meter)
        if cuts.marked and (want.quality or want.crop):
            for index, crop in zip(cuts.marked, cuts.aligned(_CROP), strict=True):
                faces[index] = _with_crop(faces[index], crop, want)
        if cuts.marked and want.embedding:
            for index, embedding in zip(cuts.marked, self._embed(cuts), strict=True):
                faces[index] = attrs.evolve(faces[index], embedding=embedding)
        if found and want.attributes != frozenset():
            said = self.attribute_models.describe(cuts, want.attributes, self.meter)
            faces = [_with_said(face, said.get(index, {})) for index, face in enumerate(faces)]
        return faces

    def _embed(self, cuts: Cuts) -> list[Embedding]:
        with self.hold_embedder() as embedder:
            return self._embedded(embedder, cuts.aligned(embedder.model.input_size))

    def _embedded(self, embedder: Loaded[Embedder], crops: Pixels) -> list[Embedding]:
        with timed(self.meter, "embed", len(crops), embedder.name):
            return _embedded(embedder.model, crops)


def _embedded(embedder: Embedder, crops: Pixels) -> list[Embedding]:
    size = embedder.input_size
    if crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[1:] != (size, size, 3):
        raise InputError(f"aligned crops must be uint8 [N, {size}, {size}, 3]")
    vectors, norms = embedder.embed(crops)
    return [
        Embedding(vector, embedder.space, float(norm))
        for vector, norm in zip(vectors, norms, strict=True)
    ]


def largest(faces: Sequence[Face]) -> Face | None:
    """Return the face with the largest box, or None where there is no face."""
    return max(faces, key=lambda face: face.box.area, default=None)


def _with_crop(face: Face, crop: Pixels, want: Want) -> Face:
    quality = measure_quality(crop, landmarks_of(face.detection)) if want.quality else None
    return attrs.evolve(face, quality=quality, crop=crop if want.crop else None)


def _with_said(face: Face, said: Said) -> Face:
    quality = face.quality.given(said) if face.quality else None
    return attrs.evolve(face, attributes=said, quality=quality)
