"""Drawing with OpenCV, and with the fake."""

import cv2
import numpy as np
import pytest

from facecv.adapters.images.annotator import OpenCVAnnotator
from facecv.core.arrays import Pixels
from facecv.core.errors import InputError
from facecv.core.face import Detection
from facecv.core.geometry import Box
from facecv.core.ports.annotator import Annotator, Label
from facecv.plugins.contracts.annotator import AnnotatorContract
from tests.fakes.annotator import FakeAnnotator


class TestOpenCVAnnotator(AnnotatorContract):
    @pytest.fixture
    def annotator(self) -> Annotator:
        return OpenCVAnnotator()


class TestFakeAnnotator(AnnotatorContract):
    @pytest.fixture
    def annotator(self) -> Annotator:
        return FakeAnnotator()


@pytest.fixture
def grey() -> Pixels:
    return np.full((300, 400, 3), 127, dtype=np.uint8)


def _changed(drawn: Pixels) -> tuple[int, int, int, int]:
    """Return the rectangle (x1, y1, x2, y2) of what is no longer grey."""
    rows, columns = np.nonzero((drawn != 127).any(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


class TestTexts:
    def _drawn(self, picture: Pixels, *labels: tuple[Box, str]) -> Pixels:
        return OpenCVAnnotator().draw(picture, [Label(Detection(b, 0.9), t) for b, t in labels])

    def test_a_text_stands_above_its_box(self, grey: Pixels) -> None:
        _, top, _, bottom = _changed(self._drawn(grey, (Box(100, 100, 200, 200), "Ada")))
        assert 60 < top < 90
        assert bottom < 205

    def test_at_the_upper_edge_it_stands_below(self, grey: Pixels) -> None:
        _, top, _, bottom = _changed(self._drawn(grey, (Box(100, 2, 200, 102), "Ada")))
        assert top <= 2
        assert 110 < bottom < 145

    def test_at_the_right_edge_it_moves_left(self, grey: Pixels) -> None:
        left, _, _, _ = _changed(self._drawn(grey, (Box(380, 100, 399, 140), "Ada Lovelace")))
        assert left < 345

    def test_texts_avoid_one_another(self, grey: Pixels) -> None:
        """Two faces in one place have both their names legible."""
        box = Box(100, 100, 200, 200)
        both = self._drawn(grey, (box, "Ada"), (box, "Ada"))
        assert _changed(both)[3] > 215, "the second text is not below the box"

    @pytest.mark.parametrize("name", ["Łukasiewicz", "Пётр", "张伟", "محمد"])
    def test_names_of_any_script_are_written(self, grey: Pixels, name: str) -> None:
        """No script falls back to one replacement sign."""
        box = Box(100, 100, 200, 200)
        drawn, unknown = self._drawn(grey, (box, name)), self._drawn(grey, (box, "?" * len(name)))
        assert not np.array_equal(drawn, unknown)

    def test_line_breaks_become_spaces(self, grey: Pixels) -> None:
        box = Box(100, 100, 200, 200)
        one, other = self._drawn(grey, (box, "a\nb")), self._drawn(grey, (box, "a b"))
        assert np.array_equal(one, other)


class TestEncoding:
    @pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"])
    def test_files_decode_to_the_picture(self, grey: Pixels, suffix: str) -> None:
        data = np.frombuffer(OpenCVAnnotator().encode(grey, suffix), dtype=np.uint8)
        again = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert again is not None
        assert np.abs(again.astype(int) - 127).max() <= 2

    def test_a_picture_too_large_for_the_format_is_refused(self) -> None:
        """JPEG ends at 65,535 pixels a side."""
        with pytest.raises(InputError, match=r"\.jpg"):
            OpenCVAnnotator().encode(np.zeros((1, 70_000, 3), dtype=np.uint8), ".jpg")
