"""Port: pictures for people to look at."""

from collections.abc import Sequence
from typing import Literal, Protocol

import attrs

from facecv.core.arrays import Pixels
from facecv.core.face import Detection

Tone = Literal["plain", "good", "doubtful", "bad"]


@attrs.frozen(eq=False)
class Label:
    """What to draw for one face.

    Attributes:
        detection: box and landmarks, in pixels of the picture.
        text: written beside the box; may be empty.
        tone: picks the colour: plain detection, known, ambiguous, unknown.
    """

    detection: Detection
    text: str = ""
    tone: Tone = "plain"


class Annotator(Protocol):
    """Draws on pictures and encodes them."""

    def draw(self, image: Pixels, labels: Sequence[Label], /) -> Pixels:
        """Return a copy of `image` (uint8 [H, W, 3] BGR) with boxes, landmarks and texts."""
        ...

    def encode(self, image: Pixels, suffix: str, /) -> bytes:
        """Return the picture as a file of the kind that `suffix` names (``.jpg``, ``.png``, …).

        Raises:
            InputError: no such kind can be written.
        """
        ...
