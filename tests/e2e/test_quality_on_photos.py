"""The quality gates on real photos: nearly all pass, spoilt ones do not."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

import facecv
from facecv.core.arrays import Pixels, check_pixels
from facecv.core.quality import Quality

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def engine(shared: Path) -> Iterator[facecv.Engine]:
    with facecv.Engine.open({}, pack_dir=shared / "models", gallery="memory") as engine:
        yield engine


@pytest.fixture(scope="module")
def photos(engine: facecv.Engine, shared: Path) -> list[Pixels]:
    paths = sorted((shared / "data" / "lfw_dev").glob("*/*.jpg"))[::40]
    paths += sorted((shared / "data" / "people").glob("*/*.png"))[::2]
    return [engine.read(path).pixels for path in paths]


def _best(engine: facecv.Engine, photo: Pixels) -> Quality | None:
    """Return the quality of the largest face; None if none is found."""
    faces = engine.detect(photo)
    return faces[0].quality if faces else None


def test_nearly_all_photos_pass(engine: facecv.Engine, photos: list[Pixels]) -> None:
    found = [quality for quality in (_best(engine, photo) for photo in photos) if quality]
    assert len(found) == len(photos)
    assert np.mean([quality.failed("standard") == () for quality in found]) >= 0.95
    assert np.mean([quality.score > 0.7 for quality in found]) >= 0.8


@pytest.mark.parametrize("spoilt", ["blurred", "dark", "far away"])
def test_spoilt_photos_do_not(engine: facecv.Engine, photos: list[Pixels], spoilt: str) -> None:
    """Those in which no face is found any more do not count."""
    changes: dict[str, Callable[[Pixels], object]] = {
        "blurred": lambda photo: cv2.GaussianBlur(photo, (0, 0), 6),
        "dark": lambda photo: (photo * 0.1).astype(np.uint8),
        "far away": lambda photo: cv2.resize(photo, None, fx=0.12, fy=0.12),
    }
    changed = [check_pixels(np.asarray(changes[spoilt](photo))) for photo in photos[::3]]
    found = [quality for quality in (_best(engine, photo) for photo in changed) if quality]
    assert [quality for quality in found if quality.failed("standard") == ()] == []
