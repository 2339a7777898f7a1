"""The packed data file gives back what was saved, and morphs are what they say."""

from pathlib import Path

import cv2
import numpy as np

from facecv.core.arrays import Pixels
from facecv.models.training import packfile
from facecv.models.training.pack import gather
from facecv.models.training.teachers import Faces
from tests.training.conftest import drawn_face


def test_saved_and_loaded(pack: packfile.Pack, data: Path) -> None:
    loaded = packfile.load(data)
    assert np.array_equal(loaded.crops.teacher, pack.crops.teacher)
    assert np.array_equal(loaded.photos.points, pack.photos.points)
    assert np.array_equal(loaded.crops.blobs.image(3), pack.crops.blobs.image(3))
    assert loaded.crops.blobs.image(0).shape == (128, 128, 3)


def test_blend_lies_between() -> None:
    first, second = np.full((128, 128, 3), 100, np.float32), np.full((128, 128, 3), 200, np.float32)
    assert np.allclose(packfile.morph(first, second, 0, 0.25), 175)


def test_top_on_bottom() -> None:
    first, second = np.full((128, 128, 3), 100, np.float32), np.full((128, 128, 3), 200, np.float32)
    made = packfile.morph(first, second, 1, 0.5)
    assert (made[0] == 100).all()
    assert (made[-1] == 200).all()


class Teacher:
    """Finds one face in the middle of every picture."""

    def passes(self, image: Pixels, sides: tuple[int, ...], threshold: float) -> Faces:
        _, points = drawn_face(np.random.default_rng(0), len(image))
        box = np.array([[0.25, 0.25, 0.75, 0.9]], np.float32) * len(image)
        return Faces(box, points[None], np.ones(1, np.float32))


def test_the_detector_alone_needs_neither_crops_nor_its_test_photos(tmp_path: Path) -> None:
    for folder in ("mask/with_mask", "groups", "fer2013/happy"):
        (tmp_path / folder).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / folder / "1.png"), drawn_face(np.random.default_rng(1), 96)[0])
    whole = gather(tmp_path, Teacher(), 1, 0)  # type: ignore[arg-type]
    alone = gather(tmp_path, Teacher(), 1, 0, crops=False)  # type: ignore[arg-type]
    assert len(whole.crops) == 3
    assert alone.crops == []
    assert alone.photos == whole.photos
    assert len(alone.faces) == 1
