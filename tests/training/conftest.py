"""A packed data file made of nothing but drawn faces, small enough for a recipe's smoke run."""

from collections.abc import Iterable
from pathlib import Path

import attrs
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facecv.core.arrays import Pixels
from facecv.core.geometry import ARCFACE_TEMPLATE
from facecv.models.training import packfile

CROPS, PHOTOS = 48, 12


def drawn_face(
    rng: np.random.Generator, side: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    image = np.full((side, side, 3), rng.integers(0, 256, 3), np.uint8)
    skin = tuple(int(v) for v in rng.integers(60, 256, 3))
    points = (ARCFACE_TEMPLATE + (128 - 112) / 2) * side / 128
    cv2.ellipse(image, (side // 2, int(side * 0.6)), (side // 4, side // 3), 0, 0, 360, skin, -1)
    for x, y in points:
        cv2.circle(image, (int(x), int(y)), max(1, side // 30), (10, 10, 10), -1)
    return image, points.astype(np.float32)


def jpegs(images: Iterable[Pixels]) -> packfile.Blobs:
    return packfile.Blobs.of([cv2.imencode(".jpg", image)[1].tobytes() for image in images])


def made_crops(rng: np.random.Generator) -> packfile.Crops:
    names = np.array([packfile.SOURCES.index(s) for s in ("utkface", "fer2013", "mask")], np.int8)
    source = np.resize(names, CROPS)

    def labels(of: str, values: int) -> NDArray[np.int8]:
        known = source == packfile.SOURCES.index(of)
        return np.where(known, rng.integers(0, values, CROPS), -1).astype(np.int8)

    teacher = rng.normal(size=(CROPS, 2, 512))
    age = labels("utkface", 90).astype(np.float32)
    return packfile.Crops(
        jpegs([drawn_face(rng, packfile.CROP)[0] for _ in range(CROPS)]),
        np.tile(np.array([[1 / 128, 0, 0], [0, 1 / 128, 0]], np.float32), (CROPS, 1, 1)),
        source,
        age=np.where(age < 0, np.nan, age).astype(np.float32),
        gender=labels("utkface", 2),
        race=labels("utkface", 5),
        emotion=labels("fer2013", 7),
        mask=labels("mask", 2),
        held_out=np.arange(CROPS) % 5 == 0,
        teacher=(teacher / np.linalg.norm(teacher, axis=2, keepdims=True)).astype(np.float16),
    )


def made_photos(rng: np.random.Generator) -> packfile.Photos:
    drawn = [drawn_face(rng, 96) for _ in range(PHOTOS)]
    sources = np.array([packfile.SOURCES.index(s) for s in ("utkface", "mask")], np.int8)
    return packfile.Photos(
        jpegs([image for image, _ in drawn]),
        np.resize(sources, PHOTOS),
        np.arange(PHOTOS) % 6 < 2,
        np.arange(PHOTOS, dtype=np.int32),
        np.tile(np.array([24, 26, 72, 90], np.float32), (PHOTOS, 1)),
        np.stack([points for _, points in drawn]),
        np.ones(PHOTOS, np.float32),
    )


@pytest.fixture(scope="session")
def pack() -> packfile.Pack:
    rng = np.random.default_rng(0)
    crops = made_crops(rng)
    pair = rng.integers(0, CROPS, (8, 2)).astype(np.int32)
    kind, weight = (np.arange(8) % 2).astype(np.int8), np.full(8, 0.5, np.float32)
    morphs = packfile.Morphs(pair, kind, weight, crops.teacher[:8, 0])
    return packfile.Pack(crops, morphs, made_photos(rng))


@pytest.fixture(scope="session")
def data(pack: packfile.Pack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "data.npz"
    packfile.save(pack, path)
    return path


@pytest.fixture
def without_labels(pack: packfile.Pack) -> packfile.Pack:
    """The pack without any label of age, gender, emotion or mask."""
    none = np.full(CROPS, -1, np.int8)
    unknown = np.full(CROPS, np.nan, np.float32)
    crops = attrs.evolve(pack.crops, age=unknown, gender=none, emotion=none, mask=none)
    return attrs.evolve(pack, crops=crops)
