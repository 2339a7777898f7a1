"""Pictures for the detector, composed of labelled photos: faces of every size on backdrops.

A composed picture comes with boxes [n,4] and landmarks [n,5,2] in its pixels, and a flag for
faces that are too small or too much cut off to count either way.
"""

from __future__ import annotations

from typing import Any

import attrs
import cv2
import numpy as np

from facecv.core.arrays import Floats, Pixels
from facecv.models.training import augment, packfile
from facecv.models.training.textures import texture
from facecv.models.training.torchtypes import Tensor

GRIDS, ODDS = (1, 2, 3, 4, 6), (0.58, 0.22, 0.1, 0.06, 0.04)
EMPTY = 0.2
"""Share of scenes without any face."""
SMALLEST = 9.0
"""Faces below this many pixels are neither wanted nor punished."""
LARGEST = 1.8
"""The largest face against its cell. One that does not fit is background: another pass, at a
smaller size, is there to find it, and none of its parts is a face."""
MIRRORED = [1, 0, 2, 4, 3]
LOOK = augment.Strength(light=0.3, grey=0.1, blur=0.12, jpeg=0.1)


@attrs.frozen(eq=False)
class Scene:
    """A composed picture (BGR uint8 [S,S,3]) and its faces."""

    image: Pixels
    boxes: Floats
    points: Floats
    ignored: Any


@attrs.define
class Composer:
    """Composes scenes of the photos of a pack; held-out ones only where told so."""

    photos: packfile.Photos
    held_out: bool = False
    _images: list[Pixels] = attrs.field(init=False)
    _pools: list[Any] = attrs.field(init=False)
    _faces: list[Any] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        photos = self.photos
        self._images = [photos.blobs.image(i) for i in range(len(photos.blobs))]
        order = np.argsort(photos.photo, kind="stable")
        self._faces = np.split(
            order, np.searchsorted(photos.photo[order], np.arange(1, len(self._images)))
        )
        usable = photos.held_out == self.held_out
        crops = photos.source == packfile.SOURCES.index("utkface")
        self._pools = [
            p for p in (np.flatnonzero(usable & crops), np.flatnonzero(usable & ~crops)) if len(p)
        ]

    def scene(self, rng: np.random.Generator, size: int) -> Scene:
        """Return a fresh scene of *size* pixels square."""
        image = self.backdrop(rng, size)
        empty = rng.random() < EMPTY
        grid = int(rng.choice(GRIDS, p=ODDS))
        edges = np.linspace(0, size, grid + 1).astype(int)
        boxes, points, ignored = [], [], []
        for row in range(grid):
            for column in range(grid):
                cell = (edges[column], edges[row], edges[column + 1], edges[row + 1])
                if empty or rng.random() < (0.1 if grid == 1 else 0.25):
                    if not empty or rng.random() < 0.3:
                        self.distract(image, cell, rng)
                    continue
                for box, point, ignore in self.paste(image, cell, rng):
                    boxes.append(box)
                    points.append(point)
                    ignored.append(ignore)
        image = augment.colour(augment.degrade(image, rng, LOOK), rng, LOOK)
        return Scene(
            image,
            np.array(boxes, np.float32).reshape(-1, 4),
            np.array(points, np.float32).reshape(-1, 5, 2),
            np.array(ignored, np.bool_),
        )

    def paste(
        self, image: Pixels, cell: tuple[int, ...], rng: np.random.Generator
    ) -> list[tuple[Floats, Floats, bool]]:
        """Draw a photo into a *cell* (x1 y1 x2 y2) of *image* and return the faces in sight."""
        index = int(rng.choice(self._pools[int(rng.random() < 0.7) % len(self._pools)]))
        photo, faces = self._images[index], self._faces[index]
        main = faces[rng.integers(len(faces))]
        side = cell[2] - cell[0]
        matrix, flipped = self.placement(self.photos.box[main], side, rng)
        part = image[cell[1] : cell[3], cell[0] : cell[2]]
        drawn = part.copy()
        cv2.warpAffine(
            photo,
            matrix,
            (part.shape[1], part.shape[0]),
            drawn,
            cv2.INTER_AREA,
            cv2.BORDER_TRANSPARENT,
        )
        part[:] = drawn
        found = (self.moved(face, matrix, flipped, part.shape) for face in faces)
        corner = np.array(cell[:2], np.float32)
        return [
            (box + np.tile(corner, 2), points + corner, ignore)
            for box, points, ignore in found
            if box is not None
        ]

    def distract(self, image: Pixels, cell: tuple[int, ...], rng: np.random.Generator) -> None:
        """Draw a part of a photo without faces into a cell: a rectangle alone is no face."""
        part = self.clear_part(rng)
        if part is not None:
            width, height = (
                max(8, int(rng.uniform(0.4, 1.0) * n))
                for n in (cell[2] - cell[0], cell[3] - cell[1])
            )
            x = cell[0] + int(rng.integers(cell[2] - cell[0] - width + 1))
            y = cell[1] + int(rng.integers(cell[3] - cell[1] - height + 1))
            image[y : y + height, x : x + width] = cv2.resize(
                part, (width, height), interpolation=cv2.INTER_AREA
            )

    def placement(self, box: Floats, side: int, rng: np.random.Generator) -> tuple[Any, bool]:
        """Return the map from photo to cell that gives the face in *box* a random size."""
        length = float(max(box[2] - box[0], box[3] - box[1]))
        wanted = side * np.exp(rng.uniform(np.log(max(16 / side, 0.1)), np.log(LARGEST)))
        scale = wanted / max(length, 1.0)
        angle = np.deg2rad(rng.normal() * 10)
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        flipped = bool(rng.random() < 0.5)
        if flipped:
            turn[:, 0] *= -1
        room = max(0.0, side - wanted) / 2 + 0.08 * wanted
        target = side / 2 + rng.uniform(-room, room, 2)
        shift = target - turn @ np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
        return np.hstack([turn, shift[:, None]]), flipped

    def moved(
        self, face: int, matrix: Tensor, flipped: bool, shape: tuple[int, ...]
    ) -> tuple[Any, Any, bool]:
        """Return box, landmarks and whether to ignore a face in a cell; no box: out of sight."""
        x1, y1, x2, y2 = self.photos.box[face]
        middle = matrix[:, :2] @ np.array([(x1 + x2) / 2, (y1 + y2) / 2]) + matrix[:, 2]
        half = np.array([x2 - x1, y2 - y1]) / 2 * np.sqrt(abs(np.linalg.det(matrix[:, :2])))
        box = np.concatenate([middle - half, middle + half]).astype(np.float32)
        inside = np.clip(np.minimum(box[2:], shape[1::-1]) - np.maximum(box[:2], 0), 0, None)
        seen = inside.prod() / (4 * half.prod())
        if seen < 0.1 or (seen < 0.45 and 2 * half.max() > max(shape[:2])):
            return None, None, False
        points = self.photos.points[face] @ matrix[:, :2].T + matrix[:, 2]
        points = points[MIRRORED] if flipped else points
        low = self.photos.score[face] < 0.5
        return box, points.astype(np.float32), bool(seen < 0.6 or low or half.max() * 2 < SMALLEST)

    def backdrop(self, rng: np.random.Generator, size: int) -> Pixels:
        """Return a picture without faces: a part of a photo clear of them, or made-up texture."""
        if rng.random() < 0.6:
            for _ in range(6):
                part = self.clear_part(rng)
                if part is not None:
                    return np.asarray(
                        cv2.resize(part, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8
                    )
        return texture(rng, size)

    def clear_part(self, rng: np.random.Generator) -> Pixels | None:
        """Return a random square of a photo that touches none of its faces, or None."""
        index = int(rng.choice(self._pools[-1]))
        photo, boxes = self._images[index], self.photos.box[self._faces[index]]
        height, width = photo.shape[:2]
        side = int(min(height, width) * rng.uniform(0.2, 0.6))
        x, y = (int(rng.integers(n - side + 1)) for n in (width, height))
        margin = 0.15 * (boxes[:, 2:] - boxes[:, :2])
        clear = np.any(
            (boxes[:, 2:] + margin < (x, y)) | (boxes[:, :2] - margin > (x + side, y + side)),
            axis=1,
        )
        part = photo[y : y + side, x : x + side]
        return (
            part[:: int(rng.choice([1, -1])), :: int(rng.choice([1, -1]))] if clear.all() else None
        )
