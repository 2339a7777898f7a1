"""Fitting pictures into a detector's input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecv.adapters.imaging.letterbox import Letterbox


@pytest.mark.parametrize(
    ("size", "content", "canvas"),
    [
        ((1280, 720), (640, 360), (640, 384)),
        ((720, 1280), (360, 640), (384, 640)),
        ((640, 640), (640, 640), (640, 640)),
        ((250, 250), (640, 640), (640, 640)),
        ((940, 464), (640, 315), (640, 320)),
    ],
)
def test_the_smallest_rectangle(
    size: tuple[int, int], content: tuple[int, int], canvas: tuple[int, int]
) -> None:
    """The longer side is the square's, the canvas no larger than multiples of 32 ask for."""
    box = Letterbox.inside(size, (640, 640)).trimmed(32)
    assert (box.content, box.canvas) == (content, canvas)


@given(
    size=st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
    canvas=st.tuples(st.integers(32, 1280), st.integers(32, 1280)),
)
def test_the_content_lies_inside(size: tuple[int, int], canvas: tuple[int, int]) -> None:
    """Whatever the shapes, something of the picture is left, and nothing sticks out."""
    box = Letterbox.inside(size, canvas)
    assert 1 <= box.content[0] <= canvas[0]
    assert 1 <= box.content[1] <= canvas[1]
    assert min(box.scale) > 0


@pytest.mark.parametrize(
    ("size", "canvas"),
    [
        ((500, 375), (192, 128)),
        ((1366, 768), (192, 96)),
        ((300, 400), (128, 192)),
        ((900, 3), (192, 32)),
    ],
)
def test_a_filled_canvas_has_no_border(size: tuple[int, int], canvas: tuple[int, int]) -> None:
    """The picture is stretched, and each axis has its own factor."""
    box = Letterbox.filled(size, 192, 32)
    assert box.canvas == box.content == canvas
    assert box.scale == pytest.approx((canvas[0] / size[0], canvas[1] / size[1]))


def test_a_picture_of_the_right_size_is_not_copied() -> None:
    """No work where there is none to do."""
    picture = np.zeros((32, 64, 3), np.uint8)
    assert Letterbox.inside((64, 32), (64, 64)).resize(picture) is picture
