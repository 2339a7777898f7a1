"""The packed data file: one `.npz` that holds all that any recipe trains on.

* crops: aligned faces, JPEG of 128x128 BGR: the 112x112 that the models see and a margin of 8.
  With each: its source, its labels (missing is -1, NaN for the age), whether it is held out, and
  the teacher's embeddings of the crop and of its mirror image.
* morphs: crops made of two crops (see `morph`), stored as the recipe and the teacher's embedding.
* photos: JPEG pictures with the boxes and landmarks that the teacher found, for the detector.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs
import cv2
import numpy as np
import numpy.typing as npt

from facecv.core.arrays import Floats, Pixels

SOURCES = (
    "utkface",
    "fer2013",
    "mask",
    "people",
    "groups",
    "detection_voc",
    "expressions",
    "video",
)
EMOTIONS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
CROP = 128
MARGIN = 8


@attrs.frozen(eq=False)
class Blobs:
    """Many byte strings in one array: string i is data[offsets[i]:offsets[i+1]]."""

    data: Pixels
    offsets: npt.NDArray[np.int64]

    @classmethod
    def of(cls, parts: Sequence[bytes]) -> Blobs:
        """Return the blobs that hold *parts* in order."""
        offsets = np.cumsum([0, *map(len, parts)], dtype=np.int64)
        return cls(np.frombuffer(b"".join(parts), np.uint8), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def image(self, index: int) -> Pixels:
        """Return picture *index*, BGR uint8 [H,W,3]."""
        part = self.data[self.offsets[index] : self.offsets[index + 1]]
        return np.asarray(cv2.imdecode(part, cv2.IMREAD_COLOR), np.uint8)

    def images(self, indices: Iterable[int]) -> Pixels:
        """Return pictures of one size as BGR uint8 [n,H,W,3]."""
        return np.stack([self.image(int(i)) for i in indices])


@attrs.frozen(eq=False)
class Crops:
    """The aligned faces and what is known of each; every array has one row a crop."""

    blobs: Blobs
    origin: Floats
    """Affine maps [n,2,3] from a pixel of the crop to its picture, 0..1; outside it is made up."""
    source: npt.NDArray[np.int8]
    age: Floats
    gender: npt.NDArray[np.int8]
    race: npt.NDArray[np.int8]
    emotion: npt.NDArray[np.int8]
    mask: npt.NDArray[np.int8]
    held_out: npt.NDArray[np.bool_]
    teacher: npt.NDArray[np.float16]
    """Unit embeddings [n,2,512]: of the crop, of its mirror image."""


@attrs.frozen(eq=False)
class Morphs:
    """Crops made of two: `pair` [m,2], `kind` [m], `weight` [m], teacher's embedding [m,512]."""

    pair: npt.NDArray[np.int32]
    kind: npt.NDArray[np.int8]
    weight: Floats
    teacher: npt.NDArray[np.float16]


@attrs.frozen(eq=False)
class Photos:
    """Pictures for the detector; face i lies in picture `photo[i]`, with box and landmarks."""

    blobs: Blobs
    source: npt.NDArray[np.int8]
    held_out: npt.NDArray[np.bool_]
    photo: npt.NDArray[np.int32]
    box: Floats
    points: Floats
    score: Floats


@attrs.frozen(eq=False)
class Pack:
    """All that the recipes train on."""

    crops: Crops
    morphs: Morphs
    photos: Photos


def save(pack: Pack, path: Path) -> None:
    """Write *pack* to *path*, beside first and then renamed."""
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for part in ("crops", "morphs", "photos"):
        for name, value in attrs.asdict(getattr(pack, part)).items():
            inner = value if isinstance(value, dict) else {"": value}
            arrays |= {
                f"{part}.{name}{'.' if key else ''}{key}": array for key, array in inner.items()
            }
    temporary = path.with_suffix(".part.npz")
    np.savez(temporary, allow_pickle=False, **arrays)
    temporary.rename(path)


def load(path: Path) -> Pack:
    """Return the pack that `save` wrote to *path*."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}

    def blobs(part: str) -> Blobs:
        return Blobs(arrays.pop(f"{part}.blobs.data"), arrays.pop(f"{part}.blobs.offsets"))

    crops, photos = blobs("crops"), blobs("photos")
    rest = {
        part: {n.split(".")[1]: a for n, a in arrays.items() if n.startswith(f"{part}.")}
        for part in ("crops", "morphs", "photos")
    }
    return Pack(
        Crops(crops, **rest["crops"]), Morphs(**rest["morphs"]), Photos(photos, **rest["photos"])
    )


def morph(first: Floats, second: Floats, kind: int, weight: float) -> Floats:
    """Return a face made of two aligned crops [H,W,3]: blended (0) or top on bottom (1).

    The teacher is a function of pixels, not of persons: what it says of a face that never was is
    as good a target as any, and there are far more pairs of faces than faces.
    """
    height = len(first)
    if kind == 0:
        return first * weight + second * (1 - weight)
    rows = np.arange(height, dtype=np.float32)[:, None, None]
    upper = np.clip((height * (0.35 + 0.3 * weight) - rows) / 12 + 0.5, 0, 1)
    return np.asarray(first * upper + second * (1 - upper), np.float32)
