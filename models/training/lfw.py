"""Verification on the photos and pairs of LFW's development set, which no recipe trains on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs
import cv2
import numpy as np
import numpy.typing as npt

from facecv.core.arrays import Floats, Pixels
from facecv.models.training.teachers import Faces, Scrfd, align


@attrs.frozen(eq=False)
class Pairs:
    """Aligned crops uint8 [n,112,112,3] BGR, who each shows, and pairs [p,2] with `same` [p]."""

    crops: Pixels
    persons: Sequence[str]
    pairs: npt.NDArray[np.int64]
    same: npt.NDArray[np.bool_]


def read_pairs(folder: Path) -> tuple[list[str], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return the photos of `pairsDevTest.txt`, the pairs as their indices, and which are same."""
    index: dict[str, int] = {}
    pairs, same = [], []
    for line in (folder / "pairsDevTest.txt").read_text().splitlines()[1:]:
        parts = line.split()
        names = (parts[0], parts[0]) if len(parts) == 3 else (parts[0], parts[2])
        photos = [
            f"{n}/{n}_{int(i):04d}.jpg" for n, i in zip(names, (parts[1], parts[-1]), strict=True)
        ]
        pairs.append([index.setdefault(p, len(index)) for p in photos])
        same.append(len(parts) == 3)
    return list(index), np.array(pairs), np.array(same)


def middle_face(faces: Faces, image: Pixels) -> int:
    """Return which of *faces* is nearest the middle of the photo."""
    middle = np.array(image.shape[1::-1]) / 2
    centres = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
    return int(((centres - middle) ** 2).sum(1).argmin())


def aligned(folder: Path, detector: Scrfd) -> Pairs:
    """Return the crops of all photos of the pairs; a photo without a face gives its middle."""
    photos, pairs, same = read_pairs(folder)
    crops = []
    for photo in photos:
        image = np.asarray(cv2.imread(str(folder / photo)), np.uint8)
        faces = detector.passes(image, (640, 192), 0.3)
        if len(faces):
            crops.append(align(image, faces.points[middle_face(faces, image)], black=True)[0])
        else:
            crops.append(np.asarray(cv2.resize(image[69:181, 69:181], (112, 112)), np.uint8))
    return Pairs(np.stack(crops), [p.split("/")[0] for p in photos], pairs, same)


def ten_folds(scores: Floats, same: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return mean and deviation of ten folds' accuracy, each at the best threshold of the rest."""
    fold = np.zeros(len(same), np.int64)
    for kind in (True, False):
        rows = np.flatnonzero(same == kind)
        fold[rows] = np.arange(len(rows)) * 10 // len(rows)
    candidates = np.unique(scores)
    right = (scores[None] >= candidates[:, None]) == same[None]
    accuracies = []
    for k in range(10):
        best = right[:, fold != k].mean(1).argmax()
        accuracies.append(right[best, fold == k].mean())
    return float(np.mean(accuracies)), float(np.std(accuracies))


def strangers(embeddings: Floats, persons: Sequence[str]) -> Floats:
    """Return the cosines of all pairs of photos of different persons."""
    names = np.unique(np.asarray(persons), return_inverse=True)[1]
    rows, columns = np.triu_indices(len(names), 1)
    differ = names[rows] != names[columns]
    return np.asarray((embeddings @ embeddings.T)[rows[differ], columns[differ]], np.float32)


def acquaintances(embeddings: Floats, persons: Sequence[str]) -> Floats:
    """Return the cosines of all pairs of photos of one person."""
    names = np.unique(np.asarray(persons), return_inverse=True)[1]
    rows, columns = np.triu_indices(len(names), 1)
    alike = names[rows] == names[columns]
    return np.asarray((embeddings @ embeddings.T)[rows[alike], columns[alike]], np.float32)
