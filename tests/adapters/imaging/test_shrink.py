"""Large pictures made smaller by averaging."""

import numpy as np
import pytest

from facecv.adapters.imaging.shrink import shrunk


def test_each_pixel_is_the_mean_of_sixteen() -> None:
    """To one grey level, and neither brighter nor darker as a whole."""
    picture = np.random.default_rng(0).integers(0, 256, (400, 800, 3)).astype(np.uint8)
    means = picture.reshape(100, 4, 200, 4, 3).mean(axis=(1, 3))
    small = shrunk(picture, 200)
    assert small.reduction == 4
    assert small.pixels.shape == (100, 200, 3)
    assert np.abs(small.pixels - means).max() <= 1
    assert abs((small.pixels - means).mean()) < 0.02


@pytest.mark.parametrize(
    ("size", "small", "reduction"),
    [
        ((799, 400), (799, 400), 1),  # would be less than 200 long
        ((803, 402), (200, 100), 4),
        ((402, 803), (100, 200), 4),
        ((3200, 1600), (200, 100), 16),
        ((800, 3), (800, 3), 1),  # nothing would be left
        ((12800, 12), (3200, 3), 4),
    ],
)
def test_no_smaller_than_need_be(
    size: tuple[int, int], small: tuple[int, int], reduction: int
) -> None:
    """The longer side stays at least as long as was asked for."""
    look = shrunk(np.zeros((size[1], size[0], 3), np.uint8), 200)
    assert (look.pixels.shape[1], look.pixels.shape[0]) == small
    assert look.reduction == reduction


def test_the_picture_is_left_untouched() -> None:
    """Also where it is a view of a larger one."""
    whole = np.full((900, 900, 3), 77, np.uint8)
    shrunk(whole[50:850, 50:850], 200)
    assert (whole == 77).all()
    assert shrunk(whole, 300).pixels is whole
