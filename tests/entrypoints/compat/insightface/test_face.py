"""Faces that are dictionaries, as the insightface package has them."""

import copy
import pickle

import numpy as np
import pytest

from facecv.core.attributes import AttributeValue
from facecv.core.embedding import Embedding, EmbeddingSpace
from facecv.core.face import Detection
from facecv.core.face import Face as AnalysedFace
from facecv.core.geometry import ARCFACE_TEMPLATE, Box
from facecv.entrypoints.compat.insightface import Face

DETECTION = Detection(Box(1, 2, 30, 40), 0.75, ARCFACE_TEMPLATE)
SPACE = EmbeddingSpace("toy", 2, "0" * 64, "none")


def analysed() -> Face:
    attributes = {"age": AttributeValue(31.6), "gender": AttributeValue("male")}
    embedding = Embedding(np.array([0.6, 0.8]), SPACE, norm=20.0)
    return Face.of(AnalysedFace(DETECTION, embedding, attributes=attributes))


def test_what_is_known_is_an_item_and_an_attribute() -> None:
    face = analysed()
    assert face.bbox.dtype == np.float32
    assert face["bbox"].tolist() == [1, 2, 30, 40]
    assert face.kps.shape == (5, 2)
    assert face["det_score"] == 0.75
    assert (face.age, face["gender"], face.sex) == (32, 1, "M")


def test_the_embedding_keeps_its_length() -> None:
    face = analysed()
    assert face.embedding == pytest.approx([12, 16])
    assert face.embedding_norm == pytest.approx(20)
    assert face.normed_embedding == pytest.approx([0.6, 0.8])


def test_what_is_not_known_is_none() -> None:
    face = Face.detected(DETECTION)
    names = ("embedding", "normed_embedding", "embedding_norm", "age", "sex", "landmark_2d_106")
    assert [name for name in names if getattr(face, name) is not None] == []
    assert "age" not in face


def test_items_and_attributes_are_set_and_deleted_alike() -> None:
    face = Face(bbox=np.zeros(4))
    face.name = "Ann"
    face["gender"] = 0
    assert (face["name"], face.sex) == ("Ann", "F")
    del face.name
    assert "name" not in face
    with pytest.raises(AttributeError):
        del face.name


def test_arrays_belong_to_the_face() -> None:
    """A script may draw on or scale its boxes and points without harm to ours."""
    face = analysed()
    face.kps += 100
    face.bbox *= 2
    assert DETECTION.landmarks is not None
    assert DETECTION.landmarks.tolist() == ARCFACE_TEMPLATE.tolist()


@pytest.mark.parametrize("again", [copy.deepcopy, lambda face: pickle.loads(pickle.dumps(face))])  # noqa: S301 - our own bytes
def test_faces_survive_copying(again: object) -> None:
    face = analysed()
    assert callable(again)
    twin = again(face)
    assert type(twin) is Face
    assert twin.embedding.tolist() == face.embedding.tolist()


def test_a_face_turns_back_into_a_detection() -> None:
    assert analysed().detection() == DETECTION
