"""The same weights on the same photos in the same process as the insightface package."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facecv.core.face import Detection
from facecv.core.geometry import Box
from facecv.core.ports.detector import DetectorOptions
from tests.adapters.golden.pictures import drawn_face, waves
from tests.real_models import RealModels, aligned

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it is not ours
    scrfd = pytest.importorskip("insightface.model_zoo.scrfd")
    arcface = pytest.importorskip("insightface.model_zoo.arcface_onnx")

PHOTOS = ("groups/200*.jpg", "expressions/*.*", "detection_voc/images/1*")


@pytest.fixture
def models(shared: Path) -> RealModels:
    return RealModels(shared)


@pytest.fixture
def theirs(shared: Path) -> Any:
    detector = scrfd.SCRFD(str(shared / "models/det_500m.onnx"))
    detector.prepare(-1, input_size=(640, 640))
    return detector


def nearest(box: Box, faces: list[Detection]) -> Detection:
    return max(faces, key=lambda face: face.box.iou(box))


@pytest.mark.parametrize("pattern", PHOTOS)
def test_detections_agree_in_a_square(models: RealModels, theirs: Any, pattern: str) -> None:
    """Within 0.5 pixels and 0.01 score, with nothing more and nothing less."""
    options = DetectorOptions(padding="square", passes="single")
    ours = models.detector()
    for photo in models.photos(pattern):
        boxes, points = theirs.detect(photo)
        (faces,) = ours.detect([photo], options)
        assert len(faces) == len(boxes)
        for row, marks in zip(boxes, points, strict=True):
            face = nearest(Box(*row[:4]), faces)
            assert face.landmarks is not None
            np.testing.assert_allclose(face.box.as_tuple(), row[:4], atol=0.5)
            np.testing.assert_allclose(face.landmarks, marks, atol=0.5)
            assert face.score == pytest.approx(float(row[4]), abs=0.01)


@pytest.mark.parametrize("pattern", PHOTOS)
def test_every_sure_face_is_found_by_default(models: RealModels, theirs: Any, pattern: str) -> None:
    """Within 2 pixels, and with an embedding that is alike at 0.99."""
    ours, embedder = models.detector(), models.embedder()
    for photo in models.photos(pattern):
        boxes, points = theirs.detect(photo)
        (faces,) = ours.detect([photo], DetectorOptions())
        for row, marks in zip(boxes, points, strict=True):
            if row[4] <= 0.6:
                continue
            face = nearest(Box(*row[:4]), faces)
            assert face.landmarks is not None
            np.testing.assert_allclose(face.box.as_tuple(), row[:4], atol=2.0)
            crops = np.stack([aligned(photo, face.landmarks), aligned(photo, marks)])
            (one, other), _ = embedder.embed(crops)
            assert one @ other >= 0.99


@pytest.mark.parametrize("name", ["w600k_mbf", "mobilefacenet_128d"])
def test_embeddings_agree(models: RealModels, name: str) -> None:
    """From the same crops, at cosine 0.9999."""
    crops = np.stack([drawn_face(), waves(112, 112)])
    network = arcface.ArcFaceONNX(str(models.file(name).path))
    theirs = np.concatenate([network.get_feat(crop) for crop in crops])
    ours, norms = models.embedder(name).embed(crops)
    lengths = np.linalg.norm(theirs, axis=1)
    assert ((theirs / lengths[:, None]) * ours).sum(axis=1).min() >= 0.9999
    np.testing.assert_allclose(norms, lengths, rtol=1e-3)
