"""Requests and answers of InsightFace-REST."""

import base64
from typing import Any

import attrs
import msgspec

from facecv.core.embedding import Embedding
from facecv.core.face import Face
from facecv.core.ports.annotator import Annotator
from facecv.core.services.analyse import Want
from facecv.core.services.find import FindOptions


class Images(msgspec.Struct):
    """Pictures: base64 or raw bytes, or URLs, which win."""

    data: list[Any] | None = None  # msgspec knows no union of text and bytes
    urls: list[str] | None = None


class Request(msgspec.Struct):
    """What may be asked for; fields that are not known here are left alone, as there."""

    images: Images
    threshold: float = 0.6
    limit_faces: int = 0
    min_face_size: int = 0
    detect_masks: bool = False

    def find(self, base: FindOptions, most: int) -> FindOptions:
        """Return which faces are looked for; `most` is the server's limit."""
        return attrs.evolve(
            base,
            detector=attrs.evolve(base.detector, score_threshold=self.threshold),
            min_face=float(max(self.min_face_size, 0)),
            max_faces=min(self.limit_faces, most) if self.limit_faces > 0 else most,
        )


class Extract(Request):
    """The body of ``/extract``."""

    embed_only: bool = False
    return_face_data: bool = False
    return_landmarks: bool = False
    extract_embedding: bool = True
    extract_ga: bool = False
    verbose_timings: bool = False
    msgpack: bool = False

    def want(self, names: frozenset[str]) -> Want:
        """Return what to find out, of the attributes that the models give."""
        asked = {"age", "gender"} if self.extract_ga else set()
        asked |= {"mask"} if self.detect_masks else set()
        return Want(
            quality=False,
            embedding=self.extract_embedding,
            crop=self.return_face_data,
            attributes=frozenset(asked) & names,
        )


class Draw(Request):
    """The body of ``/draw_detections``."""

    draw_landmarks: bool = True
    draw_scores: bool = True
    draw_sizes: bool = True


def face_body(number: int, face: Face, asked: Extract, annotator: Annotator) -> dict[str, Any]:
    """Return a face with all fields, null where there is nothing: typed clients want them."""
    box, points = face.box, face.landmarks
    marks = None if points is None or not asked.return_landmarks else points.round().astype(int)
    return {
        "num_det": number,
        "prob": round(face.score, 6),
        "bbox": [round(value) for value in box.as_tuple()],
        "size": round(box.width),
        "landmarks": None if marks is None else marks.tolist(),
        "scale": 1.0,
        **said_body(face),
        **embedding_body(face.embedding),
        "facedata": None if face.crop is None else jpeg(annotator.encode(face.crop, ".jpg")),
    }


def crop_body(embedding: Embedding) -> dict[str, Any]:
    """Return the face of a picture that is a crop already."""
    return {
        "status": "ok",
        "num_det": 0,
        "prob": 1.0,
        "bbox": [0, 0, 112, 112],
        "size": 112,
        "landmarks": None,
        "scale": 1.0,
        **said_body(None),
        **embedding_body(embedding),
        "facedata": None,
    }


def said_body(face: Face | None) -> dict[str, Any]:
    """Return what attribute models said: 1 is male, ages are whole years."""
    said = face.attributes if face else {}
    gender, age, mask = (said.get(name) for name in ("gender", "age", "mask"))
    probabilities = dict(mask.probabilities) if mask else {}
    masked = probabilities.get("mask")
    return {
        "gender": None if gender is None else int(gender.value == "male"),
        "age": None if age is None else round(float(str(age.value))),
        "mask": None if mask is None else mask.value in {True, "mask"},
        "mask_probs": None if masked is None else {"mask": masked, "no_mask": 1 - masked},
    }


def embedding_body(embedding: Embedding | None) -> dict[str, Any]:
    """Return an embedding of length one, and its length before."""
    if embedding is None:
        return {"norm": None, "vec": None}
    return {"norm": embedding.norm, "vec": embedding.vector.tolist()}


def jpeg(content: bytes) -> str:
    """Return a file as base64."""
    return base64.b64encode(content).decode()
