"""Composed scenes keep boxes and landmarks on the faces; assignment finds an anchor for each."""

import numpy as np
import pytest

from facecv.models.training import augment, packfile
from facecv.models.training.assign import anchors, assign
from facecv.models.training.compose import Composer


@pytest.fixture
def composer(pack: packfile.Pack) -> Composer:
    return Composer(pack.photos)


def test_same_seed_same_scene(composer: Composer) -> None:
    first, second = (composer.scene(np.random.default_rng(5), 128) for _ in range(2))
    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.boxes, second.boxes)


def test_landmarks_lie_in_their_box_left_before_right(composer: Composer) -> None:
    scenes = [composer.scene(np.random.default_rng(seed), 256) for seed in range(20)]
    assert sum(len(scene.boxes) for scene in scenes) > 10
    for scene in scenes:
        for box, points in zip(scene.boxes, scene.points, strict=True):
            size = box[2] - box[0]
            assert (points > box[:2] - 0.35 * size).all()
            assert (points < box[2:] + 0.35 * size).all()
            assert points[0, 0] < points[1, 0]


def test_held_out_photos_are_not_drawn(pack: packfile.Pack, composer: Composer) -> None:
    assert not pack.photos.held_out[np.concatenate(composer._pools)].any()


@pytest.mark.parametrize("size", [12, 20, 60, 200])
def test_every_face_gets_an_anchor(size: int) -> None:
    box = np.array([[100 - size / 2, 110 - size / 2, 100 + size / 2, 110 + size / 2]], np.float32)
    owners = assign(box, np.array([False]), 256)
    assert (owners == 0).sum() >= 1
    assert len(owners) == len(anchors(256)[0]) == 2 * (32**2 + 16**2 + 8**2)


def test_ignored_face_is_neither_wanted_nor_punished() -> None:
    owners = assign(np.array([[40, 40, 80, 80]], np.float32), np.array([True]), 128)
    assert set(owners.tolist()) == {-1, -2}


def test_view_is_a_crop_of_the_asked_size(pack: packfile.Pack) -> None:
    crop, rng = pack.crops.blobs.image(0), np.random.default_rng(1)
    strong = augment.Strength(grey=1, blur=1, jpeg=1, mask=1, border=1)
    made = augment.view(crop, pack.crops.origin[0], rng, strong, 80)
    assert made.shape == (80, 80, 3)
    assert made.dtype == np.uint8
    assert np.array_equal(augment.centre(crop), crop[8:-8, 8:-8])


def test_outside_of_the_picture_is_blackened(pack: packfile.Pack) -> None:
    crop = np.full((128, 128, 3), 9, np.uint8)
    half = np.array([[1 / 64, 0, 0], [0, 1 / 128, 0]], np.float32)
    assert (augment.blacken(crop, half)[:, 64:] == 0).all()
    assert (augment.blacken(crop, half)[:, :64] == 9).all()
