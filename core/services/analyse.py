"""From a picture to faces: decode, detect, align, measure, embed, describe."""

from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from facecv.core.arrays import Floats, Pixels
from facecv.core.attributes import AlignedCropNeed, AttributeValue, CropNeed, square_around
from facecv.core.embedding import Embedding
from facecv.core.errors import InputError
from facecv.core.face import Detection, Face
from facecv.core.image import Image, ImageSource
from facecv.core.ports.attribute_model import AttributeModel
from facecv.core.ports.detector import Detector
from facecv.core.ports.embedder import Embedder
from facecv.core.ports.face_aligner import FaceAligner
from facecv.core.ports.image_decoder import ImageDecoder
from facecv.core.quality import measure_quality
from facecv.core.services.find import FindOptions, find_faces
from facecv.core.services.registry import Slot

_CROP = 112
Found = tuple[Pixels, Detection]
"""A picture, uint8 [H, W, 3] BGR, and a face in it."""


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


@attrs.define(eq=False)
class Analyser:
    """Looks at pictures. Safe to use from several threads; models load when first needed."""

    decoder: ImageDecoder
    aligner: FaceAligner
    detector: Slot[Detector]
    embedder: Slot[Embedder]
    attribute_models: Sequence[Slot[AttributeModel]] = ()
    find: FindOptions = attrs.field(factory=FindOptions)

    def read(self, source: ImageSource | Image) -> Image:
        """Return `source` as a decoded picture; raises what the decoder raises."""
        return source if isinstance(source, Image) else self.decoder.decode(source)

    def detect(self, images: Sequence[Image], find: FindOptions | None = None) -> list[list[Face]]:
        """Return the faces of each picture with their quality, without loading an embedder."""
        return self.analyse(images, Want(embedding=False), find)

    def analyse(
        self, images: Sequence[Image], want: Want, find: FindOptions | None = None
    ) -> list[list[Face]]:
        """Return the faces of each picture with all that `want` asks for.

        The faces of all pictures go through each network in one batch.
        """
        pixels = [image.pixels for image in images]
        found = find_faces(self.detector.get(), pixels, find or self.find)
        flat = [(image, face) for image, faces in zip(pixels, found, strict=True) for face in faces]
        described = iter(self.describe(flat, want))
        return [[next(described) for _ in faces] for faces in found]

    def embed_crops(self, crops: Pixels) -> list[Embedding]:
        """Return the embeddings of faces that are already aligned.

        Args:
            crops: uint8 [N, S, S, 3] BGR, S the input size of the embedder.
        """
        embedder = self.embedder.get()
        size = embedder.input_size
        if crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[1:] != (size, size, 3):
            raise InputError(f"aligned crops must be uint8 [N, {size}, {size}, 3]")
        vectors, norms = embedder.embed(crops)
        return [
            Embedding(vector, embedder.space, float(norm))
            for vector, norm in zip(vectors, norms, strict=True)
        ]

    def describe(self, found: Sequence[Found], want: Want) -> list[Face]:
        """Return faces for detections that were made before, of one or several pictures.

        Those without landmarks get no crop and no embedding.

        Args:
            found: pairs of a picture, uint8 [H, W, 3] BGR, and a face in it.
            want: what to find out.
        """
        faces = [Face(detection) for _, detection in found]
        cuts = _Cuts(self.aligner, found)
        if cuts.marked and (want.quality or want.crop):
            for index, crop in zip(cuts.marked, cuts.aligned(_CROP), strict=True):
                faces[index] = _with_crop(faces[index], crop, want)
        if cuts.marked and want.embedding:
            crops = cuts.aligned(self.embedder.get().input_size)
            for index, embedding in zip(cuts.marked, self.embed_crops(crops), strict=True):
                faces[index] = attrs.evolve(faces[index], embedding=embedding)
        if found and want.attributes != frozenset():
            self._add_attributes(faces, cuts, want.attributes)
        return faces

    def _add_attributes(
        self, faces: list[Face], cuts: "_Cuts", names: frozenset[str] | None
    ) -> None:
        """Add to `faces` what the attribute models that are needed say about them."""
        for slot in self.attribute_models:
            model = slot.get()
            wanted = model.provides if names is None else model.provides & names
            if not wanted:
                continue
            chosen, crops = cuts.for_need(model.needs)
            for index, values in zip(chosen, model.predict(crops), strict=True):
                faces[index] = _with_values(faces[index], values, wanted)


class _Cuts:
    """The faces of a batch cut out of their pictures, each size once.

    Attributes:
        marked: indices of the faces that have landmarks.
    """

    def __init__(self, aligner: FaceAligner, found: Sequence[Found]) -> None:
        self._aligner = aligner
        self._found = found
        self._aligned: dict[int, Pixels] = {}
        self.marked = [i for i, (_, face) in enumerate(found) if face.landmarks is not None]

    def aligned(self, size: int) -> Pixels:
        """Return aligned crops of the marked faces, uint8 [N, size, size, 3] BGR."""
        if size not in self._aligned:
            found = [self._found[index] for index in self.marked]
            cut = [self._aligner.align(image, [_points(face)], size) for image, face in found]
            self._aligned[size] = _stacked(cut, size)
        return self._aligned[size]

    def for_need(self, need: CropNeed) -> tuple[Sequence[int], Pixels]:
        """Return the indices of the faces that can be cut as `need` says, and the crops."""
        if isinstance(need, AlignedCropNeed):
            return self.marked, self.aligned(need.size)
        boxes = [(image, square_around(face.box, need.scale)) for image, face in self._found]
        cut = [self._aligner.crop(image, [box], need.size) for image, box in boxes]
        return range(len(boxes)), _stacked(cut, need.size)


def _stacked(crops: Sequence[Pixels], size: int) -> Pixels:
    return np.concatenate([np.zeros((0, size, size, 3), dtype=np.uint8), *crops])


def largest(faces: Sequence[Face]) -> Face | None:
    """Return the face with the largest box, or None where there is no face."""
    return max(faces, key=lambda face: face.box.area, default=None)


def _points(detection: Detection) -> Floats:
    if detection.landmarks is None:
        raise InputError("a face without landmarks cannot be aligned")
    return detection.landmarks


def _with_crop(face: Face, crop: Pixels, want: Want) -> Face:
    quality = measure_quality(crop, _points(face.detection)) if want.quality else None
    return attrs.evolve(face, quality=quality, crop=crop if want.crop else None)


def _with_values(face: Face, values: Mapping[str, AttributeValue], wanted: frozenset[str]) -> Face:
    chosen = {name: value for name, value in values.items() if name in wanted}
    return attrs.evolve(face, attributes={**face.attributes, **chosen})
