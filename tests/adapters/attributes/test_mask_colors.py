"""Masks by colour, on faces that are painted."""

import numpy as np
import pytest

from facecv.adapters.attributes.mask_colors import MaskColors
from facecv.core.arrays import Pixels
from facecv.core.attributes import AttributeValue
from facecv.plugins.contracts.attribute_model import AttributeModelContract
from tests.adapters.attributes.views import view

SKINS = {"light": (150, 175, 215), "brown": (75, 105, 150), "dark": (45, 60, 90)}
MASKS = {"blue": (190, 160, 110), "white": (235, 235, 235), "black": (25, 25, 25)}


class TestMaskColorsContract(AttributeModelContract):
    @pytest.fixture
    def model(self) -> MaskColors:
        return MaskColors()


def face(skin: str, mask: str = "") -> Pixels:
    """Return an aligned face with lips, or with a mask over the lower half."""
    crop = np.full((112, 112, 3), SKINS[skin], np.uint8)
    blue, green, red = SKINS[skin]
    crop[86:98, 40:72] = (blue, green * 0.7, min(red * 1.15, 255))
    if mask:
        crop[66:] = MASKS[mask]
    return crop


def judged(crop: Pixels) -> AttributeValue:
    (said,) = MaskColors().predict([view(crop)])
    return said["mask"]


@pytest.mark.parametrize("skin", SKINS)
def test_a_face_with_lips_wears_none(skin: str) -> None:
    """Whatever the colour of the skin."""
    assert judged(face(skin)).value == "no_mask"


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("skin", SKINS)
def test_a_lower_half_of_another_colour_is_a_mask(skin: str, mask: str) -> None:
    """Whatever the colour of either."""
    assert judged(face(skin, mask)).value == "mask"


def test_it_says_that_no_network_said_so() -> None:
    """Its name tells that it is a rule."""
    assert judged(face("light")).model == "mask-colors"
