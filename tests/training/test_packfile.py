"""The packed data file gives back what was saved, and morphs are what they say."""

from pathlib import Path

import numpy as np

from facecv.models.training import packfile


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
