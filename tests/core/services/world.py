"""A small world in which everything about a face can be read off its pixels.

A face is a red square: its green says how sure the detector is, its blue says who it is. Two faces
whose blues differ by d have the cosine ``cos(d / 255 * pi / 2)``.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import attrs
import numpy as np

from facecv.core.arrays import Floats, Pixels
from facecv.core.attributes import (
    AlignedCropNeed,
    AttributeValue,
    BoxCropNeed,
    CropNeed,
    HeadPose,
    LandmarkSet,
)
from facecv.core.embedding import EmbeddingSpace
from facecv.core.errors import ImageNotFoundError
from facecv.core.face import Detection
from facecv.core.face_view import FaceView
from facecv.core.geometry import ARCFACE_TEMPLATE, Box
from facecv.core.image import Image, ImageSource
from facecv.core.ports.detector import DetectorOptions
from facecv.core.services.analyse import Analyser
from facecv.core.services.attributes import AttributeModels
from facecv.core.services.registry import ready
from facecv.core.services.slot import Slot, at_hand
from tests.fakes.face_aligner import FakeFaceAligner

SPACE = EmbeddingSpace("world", 2, "0" * 64, "none")


def picture(*faces: tuple[int, int, int, int], sure: int = 200) -> Pixels:
    """Return a black picture of 400 x 300 with faces (x, y, side, who)."""
    image = np.zeros((300, 400, 3), dtype=np.uint8)
    for number, (x, y, side, who) in enumerate(faces):
        image[y : y + side, x : x + side] = (who, sure - number, 255)
    return image


def cosine(one: int, other: int) -> float:
    return float(np.cos((one - other) / 255 * np.pi / 2))


@attrs.frozen
class WorldDetector:
    """Finds red squares; gives landmarks unless told not to."""

    landmarks: bool = True

    def detect(
        self, images: Sequence[Pixels], options: DetectorOptions, /
    ) -> list[list[Detection]]:
        return [sorted(self._in(image), key=lambda face: -face.score) for image in images]

    def _in(self, image: Pixels) -> list[Detection]:
        found = []
        for green in np.unique(image[image[..., 2] == 255][:, 1]):
            ys, xs = np.nonzero((image[..., 1] == green) & (image[..., 2] == 255))
            box = Box(xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
            points = ARCFACE_TEMPLATE * np.float32(box.width / 112)
            points = points + np.array([box.x1, box.y1], dtype=np.float32)
            found.append(Detection(box, green / 255, points if self.landmarks else None))
        return found


@attrs.frozen
class WorldEmbedder:
    """Turns the mean blue of a crop into an angle; notes the size of each batch."""

    space: EmbeddingSpace = SPACE
    input_size: int = 112
    batches: list[int] = attrs.field(factory=list)

    def embed(self, crops: Pixels, /) -> tuple[Floats, Floats]:
        self.batches.append(len(crops))
        angle = crops[:, 40:72, 40:72, 0].mean(axis=(1, 2)) / 255 * np.pi / 2
        vectors = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
        return vectors, np.full(len(crops), 7, dtype=np.float32)


@attrs.frozen
class WorldAttributes:
    """Tells the mean blue of a crop under a name; notes the size of each batch."""

    name: str
    need: CropNeed
    batches: list[int] = attrs.field(factory=list)

    @property
    def provides(self) -> frozenset[str]:
        return frozenset({self.name})

    @property
    def needs(self) -> tuple[CropNeed, ...]:
        return (self.need,)

    def predict(self, faces: Sequence[FaceView], /) -> Sequence[Mapping[str, AttributeValue]]:
        self.batches.append(len(faces))
        middle = self.need.size // 2
        crops = [face.crops[0] for face in faces]
        return [{self.name: AttributeValue(float(crop[middle, middle, 0]))} for crop in crops]


@attrs.frozen
class WorldLiveness:
    """Takes little blue for a living face, much for a spoof, and cannot judge what is between."""

    provides = frozenset({"liveness"})
    needs: tuple[CropNeed, ...] = (BoxCropNeed(8, 0.5),)

    def predict(self, faces: Sequence[FaceView], /) -> Sequence[Mapping[str, AttributeValue]]:
        return [{"liveness": self._judged(int(face.crops[0][4, 4, 0]))} for face in faces]

    def _judged(self, blue: int) -> AttributeValue:
        if 100 < blue < 200:
            return AttributeValue("rejected", model="world", reason="too dark")
        return AttributeValue("live" if blue < 100 else "spoof", model="world")


@attrs.frozen
class WorldShape:
    """Finds every head looking to the right, and one point in the middle of its box."""

    provides = frozenset({"pose", "landmarks_1"})
    needs: tuple[CropNeed, ...] = ()

    def predict(self, faces: Sequence[FaceView], /) -> Sequence[Mapping[str, AttributeValue]]:
        return [
            {
                "pose": AttributeValue(HeadPose(20, -5.4, 0.0), model="world"),
                "landmarks_1": AttributeValue(
                    LandmarkSet(np.array([face.detection.box.center])), model="world"
                ),
            }
            for face in faces
        ]


class WorldDecoder:
    """Takes arrays; everything else is not found."""

    def decode(self, source: ImageSource, side: int = 0, /) -> Image:
        if not isinstance(source, np.ndarray):
            raise ImageNotFoundError(f"there is no file {source!r}")
        return Image(source)


def analyser(
    *,
    detector: WorldDetector | None = None,
    embedder: WorldEmbedder | None = None,
    attributes: Sequence[WorldAttributes] = (),
) -> Analyser:
    """Return an analyser of this world."""
    return Analyser(
        WorldDecoder(),
        FakeFaceAligner(),
        ready(detector or WorldDetector()),
        ready(embedder or WorldEmbedder()),
        AttributeModels([Slot(partial(at_hand, model)) for model in attributes]),
    )


ALIGNED, BOXED = AlignedCropNeed(112), BoxCropNeed(32, 0.5)
