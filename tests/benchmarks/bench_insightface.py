"""Agreement with the insightface package: ``python -m tests.benchmarks.bench_insightface``.

Same weights, same photos, same process. Prints, for each set of photos, how far boxes, scores and
embeddings of the same faces are apart, in its square letterbox and in our default.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import numpy as np
from insightface.model_zoo.arcface_onnx import ArcFaceONNX
from insightface.model_zoo.scrfd import SCRFD
from insightface.utils.face_align import norm_crop
from rich.console import Console
from rich.table import Table

from facecv.core.arrays import Pixels
from facecv.core.geometry import Box
from facecv.core.ports.detector import DetectorOptions
from tests.real_models import RealModels, aligned

SQUARE = DetectorOptions(padding="square", passes="single")
SETS = {
    "groups": "groups/*.jpg",
    "close-ups": "detection_voc/images/*",
    "expressions": "expressions/*.*",
    "lfw": "lfw_dev/A*/*.jpg",
}


@attrs.define
class Agreement:
    """The worst figures over a set of faces."""

    faces: int = 0
    missed: int = 0
    pixels: float = 0.0
    score: float = 0.0
    cosine: float = 1.0
    same_landmarks: float = 1.0

    def row(self) -> tuple[str, ...]:
        """Return the figures as text."""
        return (
            f"{self.faces}",
            f"{self.missed}",
            f"{self.pixels:.3f}",
            f"{self.score:.4f}",
            f"{self.cosine:.5f}",
            f"{self.same_landmarks:.6f}",
        )


class Comparison:
    """Both implementations, on the same weights."""

    def __init__(self, models: RealModels) -> None:
        self._ours = models.detector()
        self._embedder = models.embedder()
        self._theirs: Any = SCRFD(str(models.file("det_500m").path))
        self._theirs.prepare(-1, input_size=(640, 640))
        self._network: Any = ArcFaceONNX(str(models.file("w600k_mbf").path))

    def add(self, total: Agreement, photo: Pixels, options: DetectorOptions) -> None:
        """Compare the faces of one photo that the package is sure of (above 0.6)."""
        boxes, points = self._theirs.detect(photo)
        (faces,) = self._ours.detect([photo], options)
        for row, marks in zip(boxes, points, strict=True):
            if row[4] <= 0.6:
                continue
            total.faces += 1
            box = Box(*row[:4].tolist())
            face = max(faces, key=lambda one: one.box.iou(box), default=None)
            if face is None or face.landmarks is None or face.box.iou(box) < 0.5:
                total.missed += 1
                continue
            apart = np.abs(np.array(face.box.as_tuple()) - row[:4]).max()
            total.pixels = max(total.pixels, float(apart))
            total.score = max(total.score, abs(face.score - float(row[4])))
            theirs = self._network.get_feat(norm_crop(photo, marks)).ravel()
            theirs = theirs / np.linalg.norm(theirs)
            crops = np.stack([aligned(photo, face.landmarks), aligned(photo, marks)])
            own, shared = self._embedder.embed(crops)[0] @ theirs
            total.cosine = min(total.cosine, float(own))
            total.same_landmarks = min(total.same_landmarks, float(shared))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        _print(RealModels(given.shared, graph_cache=Path(folder)))


def _print(models: RealModels) -> None:
    comparison = Comparison(models)
    heads = ("faces", "missed", "box, px", "score", "cosine", "same landmarks")
    table = Table("photos", "mode", *heads)
    for name, pattern in SETS.items():
        photos = models.photos(pattern)
        for mode, options in (("square", SQUARE), ("default", DetectorOptions())):
            total = Agreement()
            for photo in photos:
                comparison.add(total, photo, options)
            table.add_row(name, mode, *total.row())
    Console().print(table)


if __name__ == "__main__":
    main()
