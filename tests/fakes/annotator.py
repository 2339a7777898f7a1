"""An annotator that marks where faces are."""

from collections.abc import Sequence

from facecv.core.arrays import Pixels
from facecv.core.errors import InputError
from facecv.core.ports.annotator import Label

_MAGIC = {".png": b"\x89PNG", ".jpg": b"\xff\xd8\xff"}
_SHADES = {"plain": 0, "good": 50, "doubtful": 200, "bad": 255}


class FakeAnnotator:
    """Fills boxes with a grey a tone and writes files without content: ``FakeAnnotator()``."""

    def draw(self, image: Pixels, labels: Sequence[Label], /) -> Pixels:
        picture = image.copy()
        for label in labels:
            box = label.detection.box.clipped(image.shape[1], image.shape[0])
            x1, y1, x2, y2 = (round(value) for value in box.as_tuple())
            picture[y1:y2, x1:x2] = _SHADES[label.tone]
        return picture

    def encode(self, image: Pixels, suffix: str, /) -> bytes:
        if suffix.lower() not in _MAGIC:
            raise InputError(f"pictures cannot be written as {suffix!r}")
        return _MAGIC[suffix.lower()] + image.tobytes()
