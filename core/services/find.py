"""Finding faces: everything about detection that does not depend on the network.

Rotated pictures, tiles of very large pictures, limits on size and number, and the order of the
answer are the same for every detector, so they are done here, around the port.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import attrs
import numpy as np

from facecv.core.arrays import Floats, Pixels
from facecv.core.face import Detection
from facecv.core.geometry import Box, nms
from facecv.core.image import Image, Preview
from facecv.core.ports.detector import Detector, DetectorOptions

Order = Literal["area", "score", "center", "prominent"]
Rotate = Literal["off", "auto"]
_TILE_OVERLAP = 0.25
_EDGE = 2.0


@attrs.frozen
class FindOptions:
    """Which faces to find, and how.

    Attributes:
        detector: thresholds and sizes for the network.
        min_face: faces whose shorter side is smaller are left out, pixels.
        max_face: faces whose longer side is larger are left out, pixels; 0: no limit.
        max_faces: the most faces to return, the first in `order`; 0: no limit.
        order: ``area`` (largest first), ``score`` (surest first), ``center`` (nearest to the
            middle of the picture first) or ``prominent`` (large and near to the middle: by area
            less twice the squared distance).
        tile: side, in pixels, of overlapping tiles in which a larger picture is searched for
            small faces, beside the picture as a whole; 0: no tiles.
        rotate: ``auto`` tries a picture in which no face within the limits of size is found
            turned by 90, 180 and 270 degrees as well; ``off`` does not.
    """

    detector: DetectorOptions = attrs.field(factory=DetectorOptions)
    min_face: float = attrs.field(default=0.0, validator=attrs.validators.ge(0))
    max_face: float = attrs.field(default=0.0, validator=attrs.validators.ge(0))
    max_faces: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    order: Order = attrs.field(
        default="area",
        validator=attrs.validators.in_(("area", "score", "center", "prominent")),
    )
    tile: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    rotate: Rotate = attrs.field(default="off", validator=attrs.validators.in_(("off", "auto")))

    @property
    def side(self) -> int:
        """The longer side, in pixels, at which a picture is looked at; 0: the full picture."""
        return 0 if self.tile else self.detector.input_size


def find_faces(
    detector: Detector, images: Sequence[Image | Pixels], options: FindOptions, /
) -> list[list[Detection]]:
    """Return the faces of each picture, in the order that `options` asks for.

    A preview is looked at where it is as large as the network sees the picture anyway; the faces
    are in the pixels of the full picture all the same.

    Args:
        detector: the network.
        images: pictures, or their pixels uint8 [H, W, 3] BGR.
        options: which faces, and how.

    Raises:
        InputError: something is not a picture.
    """
    pictures = [Image.of(image) for image in images]
    looks = [_look(picture, options) for picture in pictures]
    seen = detector.detect([look.pixels for look in looks], options.detector)
    found = [_in_full(faces, look) for look, faces in zip(looks, seen, strict=True)]
    if options.tile:
        found = [
            _with_tiles(detector, picture.pixels, faces, options)
            for picture, faces in zip(pictures, found, strict=True)
        ]
    selected = [
        _select(picture, faces, options) for picture, faces in zip(pictures, found, strict=True)
    ]
    if options.rotate == "off":
        return selected
    return [
        faces or _turned(detector, picture, look, options)
        for picture, look, faces in zip(pictures, looks, selected, strict=True)
    ]


def _look(picture: Image, options: FindOptions) -> Preview:
    """Return the pixels that the detector is to see: the preview, where it is large enough."""
    preview = picture.preview
    if preview and options.side and max(preview.pixels.shape) >= options.side:
        return preview
    return Preview(picture.pixels)


def _in_full(faces: list[Detection], look: Preview) -> list[Detection]:
    """Return detections in the pixels of the full picture."""
    return [face.scaled(look.reduction) for face in faces]


def _select(image: Image, faces: list[Detection], options: FindOptions) -> list[Detection]:
    kept = [
        face
        for face in faces
        if min(face.box.width, face.box.height) >= options.min_face
        and not 0 < options.max_face < max(face.box.width, face.box.height)
    ]
    kept.sort(key=_order_key(image, options.order))
    return kept[: options.max_faces or None]


def _order_key(image: Image, order: Order) -> Callable[[Detection], float]:
    if order == "area":
        return lambda face: -face.box.area
    if order == "score":
        return lambda face: -face.score
    middle = image.width / 2, image.height / 2

    def distance(face: Detection) -> float:
        return float(np.hypot(*np.subtract(face.box.center, middle)))

    if order == "center":
        return distance
    return lambda face: 2 * distance(face) ** 2 - face.box.area


def _with_tiles(
    detector: Detector, image: Pixels, whole: list[Detection], options: FindOptions
) -> list[Detection]:
    """Return `whole` merged with the faces found in tiles at full resolution."""
    side = options.tile
    height, width = image.shape[:2]
    if max(height, width) <= side:
        return whole
    corners = [(x, y) for y in _starts(height, side) for x in _starts(width, side)]
    merged = list(whole)
    for x, y in corners:
        tile = np.ascontiguousarray(image[y : y + side, x : x + side])
        faces = detector.detect([tile], options.detector)[0]
        moved = [face.moved(x, y) for face in faces]
        frame = Box(x, y, min(x + side, width), min(y + side, height))
        merged += [face for face in moved if not _cut_off(face.box, frame, width, height)]
    boxes = np.array([face.box.as_tuple() for face in merged], dtype=np.float32).reshape(-1, 4)
    scores = np.array([face.score for face in merged], dtype=np.float32)
    return [merged[index] for index in nms(boxes, scores, options.detector.nms_threshold)]


def _starts(length: int, side: int) -> list[int]:
    """Return where tiles of `side` begin so that they overlap and cover `length`."""
    if length <= side:
        return [0]
    count = int(np.ceil((length - side) / (side * (1 - _TILE_OVERLAP)))) + 1
    return [round(start) for start in np.linspace(0, length - side, count)]


def _cut_off(box: Box, tile: Box, width: int, height: int) -> bool:
    """Return whether a face touches an edge of its tile that is not an edge of the picture."""
    return (
        (tile.x1 > 0 and box.x1 < tile.x1 + _EDGE)
        or (tile.y1 > 0 and box.y1 < tile.y1 + _EDGE)
        or (tile.x2 < width and box.x2 > tile.x2 - _EDGE)
        or (tile.y2 < height and box.y2 > tile.y2 - _EDGE)
    )


def _turned(
    detector: Detector, image: Image, look: Preview, options: FindOptions
) -> list[Detection]:
    """Return the faces that count of the quarter turn in which the detector is surest."""
    turns = (1, 2, 3)
    turned = [np.ascontiguousarray(np.rot90(look.pixels, turn)) for turn in turns]
    height, width = look.pixels.shape[:2]
    looks = []
    for turn, faces in zip(turns, detector.detect(turned, options.detector), strict=True):
        back = [_turn_back(face, turn, width, height) for face in faces]
        looks.append(_select(image, _in_full(back, look), options))
    return max(looks, key=lambda faces: max((face.score for face in faces), default=0.0))


def _turn_back(face: Detection, turns: int, width: int, height: int) -> Detection:
    """Return a detection of the picture turned by `turns` x 90 degrees, in the upright frame."""
    x1, y1, x2, y2 = face.box.as_tuple()
    corners = _points_back(np.array([[x1, y1], [x2, y2]], dtype=np.float32), turns, width, height)
    (ax, ay), (bx, by) = corners.tolist()
    points = face.landmarks
    return Detection(
        Box(min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)),
        face.score,
        None if points is None else _points_back(points, turns, width, height),
    )


def _points_back(points: Floats, turns: int, width: int, height: int) -> Floats:
    """Undo `numpy.rot90` (counter-clockwise quarter turns) for points [N, 2] in pixels."""
    x, y = points.T
    back = {1: (width - y, x), 2: (width - x, height - y), 3: (y, height - x)}[turns]
    return np.stack(back, axis=1).astype(np.float32)
