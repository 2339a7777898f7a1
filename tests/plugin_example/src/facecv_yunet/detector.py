"""The YuNet detector: one pass, three scales, five landmarks (Wu et al., MIR 20, 2023)."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from facecv.core.arrays import Floats, Pixels, check_pixels
from facecv.core.errors import ModelSignatureError
from facecv.core.face import Detection
from facecv.core.geometry import Box, nms
from facecv.core.ports.detector import DetectorOptions
from facecv.core.ports.inference_backend import Session

_STRIDES = (8, 16, 32)
_KINDS = ("cls", "obj", "bbox", "kps")


class YuNet:
    """Finds faces with YuNet; every picture is fitted into the square that the network takes."""

    def __init__(self, session: Session) -> None:
        """Take a loaded network.

        Raises:
            ModelSignatureError: it is not YuNet.
        """
        names = {output.name for output in session.outputs}
        missing = {f"{kind}_{stride}" for kind in _KINDS for stride in _STRIDES} - names
        if missing:
            raise ModelSignatureError(f"this is not YuNet: it lacks {', '.join(sorted(missing))}")
        self._session = session
        self._input = session.inputs[0]

    def detect(
        self, images: Sequence[Pixels], options: DetectorOptions, /
    ) -> list[list[Detection]]:
        """Return the faces of each picture, by falling score.

        Raises:
            InputError: a picture is not uint8 [H, W, 3].
        """
        return [self._detect(check_pixels(image), options) for image in images]

    def _detect(self, image: Pixels, options: DetectorOptions) -> list[Detection]:
        side = self._input.shape[2] or options.input_size // 32 * 32
        scale = side / max(image.shape[:2])
        outputs = self._session.run({self._input.name: _square(image, scale, side)})
        named = dict(zip((output.name for output in self._session.outputs), outputs, strict=True))
        boxes, scores, points = _decode(named, side, options.score_threshold)
        kept = nms(boxes, scores, options.nms_threshold)
        return [
            Detection(Box(*(boxes[i] / scale)), float(scores[i]), points[i] / scale) for i in kept
        ]


def _square(image: Pixels, scale: float, side: int) -> Floats:
    """Return the picture in the top left corner of a black square, float32 [1, 3, S, S] BGR."""
    height, width = (max(1, round(extent * scale)) for extent in image.shape[:2])
    canvas = np.zeros((side, side, 3), dtype=np.float32)
    canvas[:height, :width] = cv2.resize(image, (width, height))
    return np.ascontiguousarray(canvas.transpose(2, 0, 1)[None])


def _decode(outputs: Mapping[str, Floats], side: int, threshold: float) -> tuple[Floats, ...]:
    """Return boxes [N, 4], scores [N] and landmarks [N, 5, 2], all that reach the threshold."""
    levels = [
        _decode_level([outputs[f"{kind}_{stride}"][0] for kind in _KINDS], stride, side)
        for stride in _STRIDES
    ]
    boxes, scores, points = (np.concatenate(parts) for parts in zip(*levels, strict=True))
    sure = scores >= threshold
    return boxes[sure], scores[sure], points[sure]


def _decode_level(outputs: Sequence[Floats], stride: int, side: int) -> tuple[Floats, ...]:
    """Return boxes, scores and landmarks of one scale, in pixels of the square."""
    classes, objects, boxes, points = outputs
    scores = np.sqrt(np.clip(classes, 0, 1) * np.clip(objects, 0, 1))[:, 0]
    cells = np.indices((side // stride, side // stride), dtype=np.float32)
    corners = cells[::-1].reshape(2, -1).T  # x y of each cell, row by row
    centres = (corners + boxes[:, :2]) * stride
    halves = np.exp(boxes[:, 2:]) * stride / 2
    landmarks = (points.reshape(-1, 5, 2) + corners[:, None]) * stride
    return np.hstack([centres - halves, centres + halves]), scores, landmarks
