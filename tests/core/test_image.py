"""Pictures that are decoded on demand."""

import numpy as np
import pytest

from facecv.core.arrays import Pixels
from facecv.core.errors import InputError
from facecv.core.image import Deferred, Image, Preview

FULL = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def deferred(read: list[int]) -> Image:
    """Return a picture that notes in `read` when it is decoded in full."""

    def whole() -> Pixels:
        read.append(1)
        return FULL[:, ::-1][:, ::-1]

    return Image(Deferred(60, 40, Preview(FULL[::4, ::4], 4), whole), "a.jpg")


def test_the_size_is_known_before_the_pixels_are_read() -> None:
    read: list[int] = []
    image = deferred(read)
    assert (image.width, image.height) == (60, 40)
    assert image.preview is not None
    assert read == []


def test_the_full_picture_is_read_once() -> None:
    read: list[int] = []
    image = deferred(read)
    assert np.array_equal(image.pixels, FULL)
    assert np.array_equal(image.view, FULL)
    assert image.pixels.flags.c_contiguous
    assert read == [1]


def test_pixels_in_hand_are_the_picture_itself() -> None:
    image = Image(FULL)
    assert image.pixels is FULL
    assert image.view is FULL
    assert image.preview is None


def test_a_picture_keeps_the_name_it_has() -> None:
    assert deferred([]).named("b.jpg").source == "a.jpg"
    assert Image(FULL).named("b.jpg").source == "b.jpg"


def test_pixels_become_a_picture_and_other_things_are_refused() -> None:
    image = Image(FULL)
    assert Image.of(image) is image
    assert Image.of(FULL).pixels is FULL
    with pytest.raises(InputError):
        Image.of(np.zeros((4, 4)))  # type: ignore[arg-type]
