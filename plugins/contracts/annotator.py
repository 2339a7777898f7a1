"""Promises of `facecv.core.ports.annotator`."""

import numpy as np
import pytest

from facecv.core.arrays import Pixels
from facecv.core.errors import InputError
from facecv.core.face import Detection
from facecv.core.geometry import ARCFACE_TEMPLATE, Box
from facecv.core.ports.annotator import Annotator, Label, Tone

_TONES: tuple[Tone, ...] = ("plain", "good", "doubtful", "bad")


def _label(box: Box, text: str = "", tone: Tone = "plain", *, points: bool = True) -> Label:
    landmarks = ARCFACE_TEMPLATE + np.array([box.x1, box.y1], dtype=np.float32)
    return Label(Detection(box, 0.9, landmarks if points else None), text, tone)


class AnnotatorContract:
    """Subclass this and override `annotator`."""

    @pytest.fixture
    def annotator(self) -> Annotator:
        """Return the implementation under test."""
        raise NotImplementedError

    @pytest.fixture
    def picture(self) -> Pixels:
        """Return a grey picture, read-only."""
        picture = np.full((300, 400, 3), 127, dtype=np.uint8)
        picture.flags.writeable = False
        return picture

    def test_a_face_is_drawn_on_a_copy(self, annotator: Annotator, picture: Pixels) -> None:
        """The picture as given stays as it is."""
        drawn = annotator.draw(picture, [_label(Box(100, 80, 220, 220))])
        assert drawn.shape == picture.shape
        assert drawn.dtype == np.uint8
        assert (picture == 127).all()
        assert (drawn[150, 95:106] != 127).any(), "the left edge of the box is not there"
        assert (drawn[250:, 250:] == 127).all(), "something is drawn far from the face"

    def test_no_faces_leave_the_picture_as_it_is(
        self, annotator: Annotator, picture: Pixels
    ) -> None:
        """Nothing to draw is not an error."""
        assert np.array_equal(annotator.draw(picture, []), picture)

    def test_tones_look_different(self, annotator: Annotator, picture: Pixels) -> None:
        """A known person is told from an unknown one at a glance."""
        box = Box(100, 80, 220, 220)
        drawn = {annotator.draw(picture, [_label(box, tone=t)]).tobytes() for t in _TONES}
        assert len(drawn) == len(_TONES)

    @pytest.mark.parametrize(
        "box", [Box(-50, -50, 30, 30), Box(380, 280, 900, 900), Box(-900, -900, -800, -800)]
    )
    def test_faces_may_lie_outside(self, annotator: Annotator, picture: Pixels, box: Box) -> None:
        """A box that leaves the picture is drawn as far as it goes."""
        assert annotator.draw(picture, [_label(box, "someone")]).shape == picture.shape

    @pytest.mark.parametrize("size", [1, 5, 40])
    def test_pictures_may_be_tiny(self, annotator: Annotator, size: int) -> None:
        """A text longer than the picture is cut."""
        picture = np.zeros((size, size, 3), dtype=np.uint8)
        label = _label(Box(0, 0, size, size), "a rather long name")
        assert annotator.draw(picture, [label]).shape == picture.shape

    def test_landmarks_and_text_are_optional(self, annotator: Annotator, picture: Pixels) -> None:
        """A bare box will do."""
        label = _label(Box(10, 10, 50, 50), points=False)
        assert not np.array_equal(annotator.draw(picture, [label]), picture)

    @pytest.mark.parametrize(
        ("suffix", "magic"),
        [(".png", b"\x89PNG"), (".jpg", b"\xff\xd8\xff"), (".JPG", b"\xff\xd8")],
    )
    def test_pictures_become_files(
        self, annotator: Annotator, picture: Pixels, suffix: str, magic: bytes
    ) -> None:
        """The suffix names the kind, in either case."""
        assert annotator.encode(picture, suffix).startswith(magic)

    @pytest.mark.parametrize("suffix", ["", ".docx", "png"])
    def test_unknown_kinds_are_refused(
        self, annotator: Annotator, picture: Pixels, suffix: str
    ) -> None:
        """The error names the suffix."""
        with pytest.raises(InputError, match=repr(suffix)):
            annotator.encode(picture, suffix)
