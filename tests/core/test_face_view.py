"""Crops of several faces in one array."""

import numpy as np
import pytest

from facecv.core.errors import InputError
from facecv.core.face import Detection
from facecv.core.face_view import FaceView, stack_crops
from facecv.core.geometry import Box


def face(*sides: int) -> FaceView:
    crops = tuple(np.full((side, side, 3), side, np.uint8) for side in sides)
    return FaceView(Detection(Box(0, 0, 9, 9), 0.9), 20, 20, crops)


def test_stacks_the_crops_of_one_need() -> None:
    stacked = stack_crops([face(8, 16), face(8, 16)], 16, 1)
    assert stacked.shape == (2, 16, 16, 3)
    assert (stacked == 16).all()


def test_no_faces_are_an_empty_array() -> None:
    assert stack_crops([], 8).shape == (0, 8, 8, 3)


@pytest.mark.parametrize("faces", [[face()], [face(8), face(9)], [face(9)]])
def test_missing_and_wrong_crops_are_refused(faces: list[FaceView]) -> None:
    with pytest.raises(InputError, match=r"uint8 \[8, 8, 3\]"):
        stack_crops(faces, 8)
    floats = FaceView(faces[0].detection, 20, 20, (np.zeros((8, 8, 3)),))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="float64"):
        stack_crops([floats], 8)
