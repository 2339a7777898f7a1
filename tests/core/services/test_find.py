"""Which faces are found: rotation, tiles, limits and order, for any detector."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from facecv.core.arrays import Floats, Pixels
from facecv.core.errors import InputError
from facecv.core.face import Detection
from facecv.core.geometry import Box
from facecv.core.image import Deferred, Image, Preview
from facecv.core.ports.detector import DetectorOptions
from facecv.core.services.find import FindOptions, find_faces


class PatchDetector:
    """Finds upright patches, red above blue, no longer than `limit` pixels.

    The score is the green of a patch; landmarks are its corners and its middle.
    """

    def __init__(self, limit: float = np.inf) -> None:
        self.limit = limit
        self.seen: list[tuple[int, ...]] = []

    def detect(
        self, images: Sequence[Pixels], options: DetectorOptions, /
    ) -> list[list[Detection]]:
        self.seen += [image.shape for image in images]
        return [sorted(self._in(image), key=lambda face: -face.score) for image in images]

    def _in(self, image: Pixels) -> list[Detection]:
        found = []
        for green in np.unique(image[..., 1]):
            ys, xs = np.nonzero(image[..., 1] == green)
            box = Box(xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
            top = image[int(box.y1), int(box.x1) : int(box.x2), 2]
            if green and (top == 255).all() and max(box.width, box.height) <= self.limit:
                found.append(Detection(box, green / 255, points(box)))
        return found


def points(box: Box) -> Floats:
    x, y = box.center
    return np.array(
        [[box.x1, box.y1], [box.x2, box.y1], [x, y], [box.x1, box.y2], [box.x2, box.y2]],
        dtype=np.float32,
    )


def picture(width: int, height: int, *patches: tuple[int, int, int, int]) -> Pixels:
    """Return a black picture with patches (x, y, side, score of 255)."""
    image = np.zeros((height, width, 3), dtype=np.uint8)
    for x, y, side, score in patches:
        image[y : y + side, x : x + side] = (0, score, 255)
        image[y + side // 2 : y + side, x : x + side] = (255, score, 0)
    return image


def boxes(faces: Sequence[Detection]) -> list[tuple[float, ...]]:
    return [face.box.as_tuple() for face in faces]


THREE = picture(300, 200, (10, 10, 40, 150), (130, 80, 30, 200), (220, 100, 60, 100))
SMALL, MIDDLE, LARGE = (130, 80, 160, 110), (10, 10, 50, 50), (220, 100, 280, 160)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (FindOptions(), [LARGE, MIDDLE, SMALL]),
        (FindOptions(order="score"), [SMALL, MIDDLE, LARGE]),
        (FindOptions(order="center"), [SMALL, LARGE, MIDDLE]),
        (FindOptions(order="prominent"), [SMALL, LARGE, MIDDLE]),
        (FindOptions(max_faces=1), [LARGE]),
        (FindOptions(min_face=40), [LARGE, MIDDLE]),
        (FindOptions(max_face=40), [MIDDLE, SMALL]),
        (FindOptions(max_face=40, max_faces=1, order="score"), [SMALL]),
    ],
)
def test_limits_and_order(options: FindOptions, expected: list[tuple[int, ...]]) -> None:
    assert boxes(find_faces(PatchDetector(), [THREE], options)[0]) == expected


def test_a_prominent_face_is_large_first_and_central_second() -> None:
    large, middle = (120, 80, 60, 200), (140, 90, 20, 150)
    found = find_faces(
        PatchDetector(), [picture(300, 200, large, middle)], FindOptions(order="prominent")
    )
    assert boxes(found[0])[0] == (120, 80, 180, 140)


def test_no_picture_and_no_face_are_no_error() -> None:
    assert find_faces(PatchDetector(), [], FindOptions()) == []
    assert find_faces(PatchDetector(), [picture(50, 50)], FindOptions(rotate="auto")) == [[]]


@pytest.mark.parametrize("image", [np.zeros((4, 4)), np.zeros((0, 4, 3), np.uint8), None])
def test_what_is_no_picture_is_refused(image: Pixels) -> None:
    with pytest.raises(InputError):
        find_faces(PatchDetector(), [image], FindOptions())


class TestRotation:
    """Sideways and upside-down pictures."""

    UPRIGHT = picture(120, 90, (20, 30, 40, 100))

    @pytest.mark.parametrize("turns", [1, 2, 3])
    def test_faces_come_back_in_the_picture_as_given(self, turns: int) -> None:
        image = np.ascontiguousarray(np.rot90(self.UPRIGHT, turns))
        (face,) = find_faces(PatchDetector(), [image], FindOptions(rotate="auto"))[0]
        x1, y1, x2, y2 = (int(value) for value in face.box.as_tuple())
        assert (image[y1:y2, x1:x2, 1] == 100).all()
        assert (x2 - x1, y2 - y1) == (40, 40)
        assert face.landmarks is not None
        eyes = face.landmarks[1] - face.landmarks[0]
        expected = {1: (0, -40), 2: (-40, 0), 3: (0, 40)}[turns]
        assert tuple(eyes) == expected  # the first two landmarks run along the patch's top

    def test_a_picture_with_a_face_is_not_turned(self) -> None:
        detector = PatchDetector()
        find_faces(detector, [self.UPRIGHT], FindOptions(rotate="auto"))
        assert len(detector.seen) == 1

    def test_a_face_too_small_to_count_does_not_keep_a_picture_from_being_turned(self) -> None:
        image = np.ascontiguousarray(np.rot90(self.UPRIGHT))
        image[:20, :20] = picture(20, 20, (0, 0, 20, 90))
        (face,) = find_faces(PatchDetector(), [image], FindOptions(rotate="auto", min_face=30))[0]
        assert (face.box.width, face.box.height) == (40, 40)

    def test_off_means_off(self) -> None:
        image = np.ascontiguousarray(np.rot90(self.UPRIGHT))
        assert find_faces(PatchDetector(), [image], FindOptions()) == [[]]


class TestTiles:
    """Small faces in very large pictures."""

    def test_small_faces_are_found_in_tiles_and_once(self) -> None:
        image = picture(1000, 700, (30, 20, 20, 90), (500, 300, 20, 120), (970, 670, 20, 200))
        found = find_faces(PatchDetector(), [image], FindOptions(tile=320))[0]
        assert sorted(boxes(found)) == [
            (30, 20, 50, 40),
            (500, 300, 520, 320),
            (970, 670, 990, 690),
        ]

    def test_a_large_face_cut_by_tiles_is_only_found_whole(self) -> None:
        image = picture(1000, 700, (100, 100, 500, 90))
        found = find_faces(PatchDetector(), [image], FindOptions(tile=320))[0]
        assert boxes(found) == [(100, 100, 600, 600)]

    def test_a_picture_no_larger_than_a_tile_is_seen_once(self) -> None:
        detector = PatchDetector()
        find_faces(detector, [THREE], FindOptions(tile=320))
        assert len(detector.seen) == 1

    @pytest.mark.parametrize("size", [(321, 100), (1000, 1000), (5000, 333)])
    def test_tiles_cover_the_picture(self, size: tuple[int, int]) -> None:
        width, height = size
        detector = PatchDetector()
        find_faces(detector, [picture(width, height)], FindOptions(tile=320))
        assert all(max(shape[:2]) <= 320 for shape in detector.seen[1:])
        assert sum(h * w for h, w, _ in detector.seen[1:]) >= width * height


class TestPreviews:
    """Faces are looked for in a preview, and told in pixels of the full picture."""

    def preview(self, full: Pixels, options: FindOptions) -> tuple[list[Detection], Pixels, int]:
        """Return what is found, the pixels that the detector saw, and how often it read all."""
        read: list[int] = []

        def whole() -> Pixels:
            read.append(1)
            return full

        height, width = full.shape[:2]
        image = Image(Deferred(width, height, Preview(full[::4, ::4].copy(), 4), whole))
        detector = PatchDetector()
        (faces,) = find_faces(detector, [image], options)
        return faces, np.array(detector.seen[0]), len(read)

    def small(self, **more: Any) -> FindOptions:
        return FindOptions(detector=DetectorOptions(input_size=64), **more)

    def test_boxes_and_landmarks_are_those_of_the_full_picture(self) -> None:
        (face,), seen, read = self.preview(picture(400, 320, (80, 40, 160, 90)), self.small())
        assert face.box.as_tuple() == (80, 40, 240, 200)
        assert face.landmarks is not None
        assert tuple(face.landmarks[4]) == (240, 200)
        assert tuple(seen) == (80, 100, 3)
        assert read == 0

    def test_limits_of_size_count_in_the_full_picture(self) -> None:
        full = picture(400, 320, (80, 40, 160, 90))
        assert self.preview(full, self.small(min_face=150))[0]
        assert not self.preview(full, self.small(min_face=170))[0]

    def test_sideways_pictures_are_turned_as_previews(self) -> None:
        full = np.ascontiguousarray(np.rot90(picture(400, 320, (80, 40, 160, 90))))
        (face,), _, read = self.preview(full, self.small(rotate="auto"))
        assert face.box.as_tuple() == (40, 160, 200, 320)
        assert read == 0

    @pytest.mark.parametrize(
        "options",
        [
            FindOptions(detector=DetectorOptions(input_size=104)),
            FindOptions(detector=DetectorOptions(input_size=64), tile=320),
        ],
    )
    def test_too_small_a_preview_is_not_looked_at(self, options: FindOptions) -> None:
        (face,), seen, read = self.preview(picture(400, 320, (80, 40, 160, 90)), options)
        assert face.box.as_tuple() == (80, 40, 240, 200)
        assert tuple(seen) == (320, 400, 3)
        assert read == 1
