"""The teachers, run as they are published: SCRFD finds faces, ArcFace MobileFaceNet embeds them.

They serve packing only. Nothing here is a way to run the engine; a recipe needs the teachers
without the engine's options, and once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import cv2
import numpy as np
import numpy.typing as npt

from facecv.core.arrays import Floats, Pixels
from facecv.core.geometry import ARCFACE_TEMPLATE, nms, similarity_transform
from facecv.models.training import runtime
from facecv.models.training.torchtypes import Tensor


@attrs.frozen(eq=False)
class Faces:
    """The faces of one picture: boxes [n,4] (x1 y1 x2 y2), landmarks [n,5,2], scores [n]."""

    boxes: Floats
    points: Floats
    scores: Floats

    def __len__(self) -> int:
        return len(self.scores)


def align(
    image: Pixels, points: Floats, size: int = 112, *, black: bool = False
) -> tuple[Pixels, Floats]:
    """Return the aligned BGR crop [size,size,3] and where its pixels come from.

    More than 112 adds an even margin around the 112. What lies outside the picture is filled by
    reflection, or is black as the engine leaves it; the second value, float32
    [2,3], takes a crop's pixel (x, y, 1) to the picture, 0..1.
    """
    matrix = similarity_transform(points, ARCFACE_TEMPLATE + np.float32((size - 112) / 2))
    border = cv2.BORDER_CONSTANT if black else cv2.BORDER_REFLECT_101
    crop = cv2.warpAffine(image, matrix, (size, size), borderMode=border)
    extent = np.array([[image.shape[1]], [image.shape[0]]])
    return np.asarray(crop, np.uint8), np.asarray(
        cv2.invertAffineTransform(matrix) / extent, np.float32
    )


@attrs.define
class Scrfd:
    """A published SCRFD detector with keypoints (arXiv:2105.04714), run by ONNX Runtime."""

    path: Path
    threads: int = 2
    _run: Any = attrs.field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self._run = runtime.loaded(self.path, self.threads)

    def passes(self, image: Pixels, sides: tuple[int, ...], threshold: float) -> Faces:
        """Return the faces of a BGR *image* at several longest *sides*, merged by NMS at 0.4."""
        found = [self._candidates(image, side, threshold) for side in sides]
        boxes = np.concatenate([f.boxes for f in found])
        points = np.concatenate([f.points for f in found])
        scores = np.concatenate([f.scores for f in found])
        keep = nms(boxes, scores, 0.4)
        return Faces(boxes[keep], points[keep], scores[keep])

    def _candidates(self, image: Pixels, side: int, threshold: float) -> Faces:
        scale = side / max(image.shape[:2])
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        height, width = (-(-n // 32) * 32 for n in small.shape[:2])
        canvas = np.zeros((height, width, 3), np.uint8)
        canvas[: small.shape[0], : small.shape[1]] = small
        blob = cv2.dnn.blobFromImage(
            canvas, 1 / 128, (width, height), (127.5, 127.5, 127.5), swapRB=True
        )
        faces = decode(self._run(blob), height, width, threshold)
        return Faces(faces.boxes / scale, faces.points / scale, faces.scores)


def decode(outputs: list[npt.NDArray[Any]], height: int, width: int, threshold: float) -> Faces:
    """Return the candidates above *threshold* of SCRFD's nine *outputs*, told apart by shape."""
    grouped = {
        k: sorted((o for o in outputs if o.shape[-1] == k), key=len, reverse=True)
        for k in (1, 4, 10)
    }
    boxes, points, scores = [], [], []
    for stride, score, box, point in zip(
        (8, 16, 32), grouped[1], grouped[4], grouped[10], strict=True
    ):
        ys, xs = np.mgrid[: height // stride, : width // stride]
        centres = np.repeat(np.stack([xs, ys], -1).reshape(-1, 2) * stride, 2, axis=0).astype(
            np.float32
        )
        keep = np.flatnonzero(score.ravel() >= threshold)
        centre, distance = centres[keep], box[keep] * stride
        boxes.append(np.hstack([centre - distance[:, :2], centre + distance[:, 2:]]))
        points.append(centre[:, None] + point[keep].reshape(-1, 5, 2) * stride)
        scores.append(score.ravel()[keep])
    return Faces(np.concatenate(boxes), np.concatenate(points), np.concatenate(scores))


@attrs.define
class ArcFace:
    """The published ArcFace embedder: by OpenVINO in bf16 where installed, else ONNX Runtime."""

    path: Path
    batch: int = 16
    _run: Any = attrs.field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        try:
            self._run = self._openvino()
        except ImportError:
            run = runtime.loaded(self.path)
            self._run = lambda blob: run(blob)[0]

    def _openvino(self) -> Tensor:
        import openvino  # noqa: PLC0415

        core = openvino.Core()
        model = core.read_model(self.path)
        model.reshape([self.batch, 3, 112, 112])
        request = core.compile_model(
            model, "CPU", {"INFERENCE_PRECISION_HINT": "bf16"}
        ).create_infer_request()
        return lambda blob: request.infer({0: blob})[0]

    def embed(self, crops: Pixels) -> Floats:
        """Return the unit embeddings [n,512] of aligned BGR *crops* uint8 [n,112,112,3]."""
        blob = (crops[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32) - 127.5) / 127.5
        out = np.zeros((len(crops), 512), np.float32)
        for start in range(0, len(crops), self.batch):
            part = blob[start : start + self.batch]
            padded = np.zeros((self.batch, *part.shape[1:]), np.float32)
            padded[: len(part)] = part
            out[start : start + self.batch] = self._run(padded)[: len(part)]
        return np.asarray(out / np.linalg.norm(out, axis=1, keepdims=True), np.float32)
