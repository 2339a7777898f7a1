"""Drawing on pictures and writing them, with OpenCV."""

from collections.abc import Sequence

import cv2
import numpy as np

from facecv.core.arrays import Floats, Pixels, check_pixels
from facecv.core.errors import InputError
from facecv.core.geometry import Box
from facecv.core.ports.annotator import Label, Tone

_Color = tuple[int, int, int]
_Place = tuple[int, int, int, int]

_COLORS: dict[Tone, _Color] = {
    "plain": (235, 165, 50),
    "good": (80, 190, 75),
    "doubtful": (30, 175, 255),
    "bad": (70, 70, 235),
}
"""BGR."""
_DARK: _Color = (25, 25, 25)
_LIGHT: _Color = (255, 255, 255)
_WEIGHT = 500
"""Thickness of letters as in CSS."""
_JPEG_QUALITY = 92
_SUFFIXES = frozenset([".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"])


class OpenCVAnnotator:
    """Draws boxes, landmarks and texts whose sizes follow the picture's."""

    def draw(self, image: Pixels, labels: Sequence[Label], /) -> Pixels:
        """Return a copy of `image` with all labels; texts avoid one another where they can."""
        picture = check_pixels(image).copy()
        for label in labels:
            _draw_face(picture, label)
        taken: list[_Place] = []
        for label in labels:
            if label.text:
                taken.append(_draw_text(picture, label, taken))
        return picture

    def encode(self, image: Pixels, suffix: str, /) -> bytes:
        """Return the picture as a file: ``.jpg``, ``.png``, ``.webp``, ``.bmp`` or ``.tif``.

        Raises:
            InputError: no such kind can be written.
        """
        kind = suffix.lower()
        if kind not in _SUFFIXES:
            raise InputError(
                f"pictures cannot be written as {suffix!r}",
                hint=f"use one of {', '.join(sorted(_SUFFIXES))}",
            )
        options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if kind in {".jpg", ".jpeg"} else []
        try:
            done, data = cv2.imencode(kind, image, options)
        except cv2.error as error:
            raise InputError(f"this picture cannot be written as {suffix!r}") from error
        if not done:
            raise InputError(f"this picture cannot be written as {suffix!r}")
        return data.tobytes()


def _draw_face(picture: Pixels, label: Label) -> None:
    """Draw box and landmarks, edged in dark so that they show on any ground."""
    color, line = _COLORS[label.tone], _line_width(picture)
    x1, y1, x2, y2 = _corners(label.detection.box, picture)
    for width, shade in ((line + 2, _DARK), (line, color)):
        cv2.rectangle(picture, (x1, y1), (x2, y2), shade, width)
    if label.detection.landmarks is not None:
        _draw_points(picture, label.detection.landmarks, (x2 - x1) // 40, color)


def _draw_points(picture: Pixels, points: Floats, radius: int, color: _Color) -> None:
    radius = max(1, min(radius, 2 * _line_width(picture)))
    limit = 2 * max(picture.shape)
    for x, y in np.clip(np.rint(points), -limit, limit).astype(int).tolist():
        if radius > 1:
            cv2.circle(picture, (x, y), radius + 1, _DARK, cv2.FILLED, cv2.LINE_AA)
        cv2.circle(picture, (x, y), radius, color, cv2.FILLED, cv2.LINE_AA)


def _draw_text(picture: Pixels, label: Label, taken: Sequence[_Place]) -> _Place:
    """Draw the text on a ground of the label's colour; return the place it takes."""
    box = _corners(label.detection.box, picture)
    patch = _text_patch(label.text, _font_size(picture, box), _COLORS[label.tone])
    patch = patch[: picture.shape[0], : picture.shape[1]]
    height, width = patch.shape[:2]
    x, y = _free_place(box, (width, height), picture, taken)
    picture[y : y + height, x : x + width] = patch
    return x, y, x + width, y + height


def _text_patch(text: str, size: int, color: _Color) -> Pixels:
    """Return a text, dark or white on `color`, with a margin around it."""
    line, font = " ".join(text.split()), cv2.FontFace("uni")  # any script; not safe to share
    margin = max(2, size // 4)
    _, _, width, _ = cv2.getTextSize((1, 1), line, (0, 0), font, size, _WEIGHT)
    # The height is that of the font, not of the text: labels beside one another stay level.
    extent = (size * 5 // 4 + 2 * margin, max(width, 1) + 2 * margin, 3)
    patch = np.full(extent, color, dtype=np.uint8)
    ink = _DARK if np.dot(color, (0.114, 0.587, 0.299)) > 110 else _LIGHT
    cv2.putText(patch, line, (margin, margin + size), ink, font, size, _WEIGHT)
    return patch


def _free_place(
    box: _Place, size: tuple[int, int], picture: Pixels, taken: Sequence[_Place]
) -> tuple[int, int]:
    """Return where a text goes: above its box, below, or inside, whichever is free first."""
    (x1, y1, _, y2), (width, height) = box, size
    room_x, room_y = picture.shape[1] - width, picture.shape[0] - height
    x = min(max(x1, 0), room_x)
    choices = [y for y in (y1 - height, y2, y1, y2 - height) if 0 <= y <= room_y]
    for y in choices:
        if not any(_overlap((x, y, x + width, y + height), other) for other in taken):
            return x, y
    return x, choices[0] if choices else min(max(y1, 0), room_y)


def _overlap(one: _Place, other: _Place) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _corners(box: Box, picture: Pixels) -> _Place:
    """Return the whole pixels of a box, inside the picture."""
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = (round(value) for value in box.clipped(width - 1, height - 1).as_tuple())
    return x1, y1, x2, y2


def _line_width(picture: Pixels) -> int:
    longest: int = max(picture.shape[:2])
    return max(1, round(longest / 500))


def _font_size(picture: Pixels, box: _Place) -> int:
    """Return the height of letters: in proportion to the face, within what suits the picture."""
    longest: int = max(picture.shape[:2])
    smallest, largest = max(11, longest // 70), max(13, longest // 28)
    return min(max((box[2] - box[0]) // 6, smallest), largest)
