"""Average precision of a detector on pictures with Pascal VOC annotations."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import cv2
import numpy as np

from facecv.core.arrays import Pixels
from facecv.core.face import Detection
from facecv.core.geometry import Box


def annotated_pictures(folder: Path) -> Iterator[tuple[Pixels, list[Box]]]:
    """Yield (uint8 BGR picture, boxes of its faces) of ``annotations`` and ``images``."""
    for annotation in sorted((folder / "annotations").glob("*.xml")):
        root = ET.parse(annotation).getroot()  # noqa: S314 - our own data
        name = root.findtext("filename", "")
        image = cv2.imread(str(folder / "images" / name), cv2.IMREAD_COLOR)
        if image is not None:
            yield np.asarray(image, dtype=np.uint8), [_box(box) for box in root.iter("bndbox")]


def _box(node: ET.Element) -> Box:
    return Box(*(float(node.findtext(name, "0")) for name in ("xmin", "ymin", "xmax", "ymax")))


def average_precision(
    truths: Sequence[Sequence[Box]], found: Sequence[Sequence[Detection]], overlap: float = 0.5
) -> float:
    """Return the area under the precision-recall curve (every point, as VOC 2010 and later).

    Args:
        truths: the faces of each picture.
        found: the detections of each picture, with low scores too.
        overlap: the least IoU of a hit.
    """
    hits = [
        (detection.score, hit)
        for boxes, detections in zip(truths, found, strict=True)
        for detection, hit in zip(detections, _hits(boxes, detections, overlap), strict=True)
    ]
    hits.sort(key=lambda pair: -pair[0])
    right = np.cumsum([hit for _, hit in hits])
    recall = right / sum(map(len, truths))
    precision = right / np.arange(1, len(right) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * envelope))


def recall_at(
    truths: Sequence[Sequence[Box]], found: Sequence[Sequence[Detection]], score: float
) -> float:
    """Return the share of faces found by detections of at least `score`."""
    sure = [[one for one in detections if one.score >= score] for detections in found]
    hits = sum(sum(_hits(boxes, some, 0.5)) for boxes, some in zip(truths, sure, strict=True))
    return hits / sum(map(len, truths))


def _hits(boxes: Sequence[Box], detections: Sequence[Detection], overlap: float) -> list[bool]:
    """Say of each detection, by falling score, whether it is the first to hit a face."""
    left, hits = list(boxes), []
    for detection in detections:
        best = max(left, key=detection.box.iou, default=None)
        hit = best is not None and detection.box.iou(best) >= overlap
        if hit and best is not None:
            left.remove(best)
        hits.append(hit)
    return hits
