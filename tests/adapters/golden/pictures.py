"""Fixed pictures made of numbers, for golden vectors."""

import numpy as np

from facecv.core.arrays import Pixels


def waves(height: int, width: int) -> Pixels:
    """Return a picture whose channels differ everywhere: smooth waves, uint8 [H, W, 3]."""
    y, x = np.mgrid[:height, :width]
    planes = [
        127.5 + 127.5 * np.sin(x * rate / 9 + y * (4 - rate) / 7 + rate) for rate in (1, 2, 3)
    ]
    return np.stack(planes, axis=-1).round().astype(np.uint8)


def drawn_face(side: int = 112) -> Pixels:
    """Return a crude drawing of an aligned face, uint8 [side, side, 3] BGR.

    Skin-coloured ellipse on blue, dark eyes and mouth; enough for detectors and embedders to
    answer in their usual range.
    """
    y, x = np.mgrid[:side, :side] / side
    picture = np.empty((side, side, 3), np.float64)
    picture[...] = (160, 90, 60)
    skin = np.array([120, 150, 205])
    shade = 1 - 0.5 * ((x - 0.45) ** 2 + (y - 0.45) ** 2)
    inside = ((x - 0.5) / 0.4) ** 2 + ((y - 0.55) / 0.52) ** 2 < 1
    picture[inside] = (skin * shade[..., None])[inside]
    for cx, cy, rx, ry, grey in (
        (0.342, 0.46, 0.075, 0.035, 40),
        (0.657, 0.46, 0.075, 0.035, 40),
        (0.342, 0.38, 0.1, 0.015, 60),
        (0.657, 0.38, 0.1, 0.015, 60),
        (0.5, 0.66, 0.06, 0.02, 90),
        (0.5, 0.82, 0.15, 0.03, 70),
    ):
        spot = ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1
        picture[spot] = (grey, grey, grey * 1.6)
    return picture.round().clip(0, 255).astype(np.uint8)


def drawn_scene() -> Pixels:
    """Return a grey-blue picture of 360 x 480 pixels with a drawn face in it."""
    scene = np.full((360, 480, 3), (160, 90, 60), np.uint8)
    scene[100:240, 150:290] = drawn_face(140)
    return scene
