"""Answers of InsightFace Server."""

import hashlib
from collections.abc import Mapping
from typing import Any

import attrs
import msgspec

from facecv.core.embedding import EmbeddingSpace
from facecv.core.face import Face
from facecv.core.gallery import Collection, Counts, FaceRecord, Match, Person
from facecv.core.image import Image
from facecv.core.services.find import FindOptions
from facecv.entrypoints.compat.insightface_server.fields import DetectionFields
from facecv.entrypoints.compat.insightface_server.notes import parted
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.request_id import request_id
from facecv.entrypoints.http.shapes import quality_shape

Body = dict[str, Any]
_NO_LIMITS = {"capacity_rows": 10_000_000, "max_faces_per_person": 1_000_000, "load_policy": "lazy"}


def told(request: AnyRequest, **parts: Any) -> Body:  # noqa: ANN401 - any JSON
    """Return an answer with the id of its request."""
    return {**parts, "request_id": request_id(request.scope)}


def face_body(face: Face, image: Image) -> Body:
    """Return a face of a picture, in whole pixels inside it; its embedding stays out."""
    points = face.landmarks
    return {
        "bbox": _box_body(face, image),
        "landmarks": [] if points is None else points.round(3).tolist(),
        "detection_score": round(face.score, 6),
        "quality": msgspec.to_builtins(quality_shape(face.quality)),
    }


def _box_body(face: Face, image: Image) -> Body:
    inside = face.box.clipped(image.width, image.height)
    left, top, right, bottom = (round(value) for value in inside.as_tuple())
    width, height = right - left, bottom - top
    return {
        "pixels": {"x": left, "y": top, "width": width, "height": height},
        "normalized": {
            "left": round(left / image.width, 8),
            "top": round(top / image.height, 8),
            "width": round(width / image.width, 8),
            "height": round(height / image.height, 8),
        },
    }


def contract_id(space: EmbeddingSpace) -> str:
    """Return what names a space for clients that embed themselves."""
    facts = msgspec.json.encode(attrs.astuple(space))
    return hashlib.sha256(facts).hexdigest()


def space_body(space: EmbeddingSpace) -> Body:
    """Return the model that a space is of; ours have no version beside their digest."""
    return {
        "model_id": space.model,
        "model_version": "",
        "model_digest": space.digest,
        "embedding_dimension": space.dim,
        "preprocessing_version": space.preprocessing,
        "embedding_contract_id": contract_id(space),
    }


def detection_body(profile: DetectionFields, base: FindOptions) -> Body:
    """Return how faces are found, with what is configured here where nothing else is said."""
    side = base.detector.input_size
    configured = {
        "input_sizes": [[side, side]],
        "threshold": base.detector.score_threshold,
        "nms_threshold": base.detector.nms_threshold,
        "single_face_selection": "largest",
    }
    said: Body = msgspec.to_builtins(profile)
    return configured | said


def profile_of(collection: Collection) -> DetectionFields:
    """Return what a collection says about finding faces."""
    own, _ = parted(collection.metadata)
    return msgspec.convert(own.get("detection", {}), DetectionFields)


def limits_of(collection: Collection) -> Mapping[str, Any]:
    """Return how much a collection may hold."""
    own, _ = parted(collection.metadata)
    said: Body = own.get("search", {})
    return _NO_LIMITS | said


def collection_body(
    collection: Collection, counts: Counts, threshold: float, base: FindOptions
) -> Body:
    """Return a collection.

    Args:
        collection: of ours; one that was not made through these routes has its id for a name.
        counts: how much is in it.
        threshold: what counts where the collection has none of its own.
        base: how faces are found where the collection does not say.
    """
    own, metadata = parted(collection.metadata)
    created = collection.created.isoformat()
    return {
        "id": collection.name,
        "name": own.get("name", collection.name),
        "description": own.get("description", ""),
        "default_threshold": threshold if collection.threshold is None else collection.threshold,
        **space_body(collection.space),
        "search_profile": "fp32_v1",
        **limits_of(collection),
        "search_revision": 1,
        "save_face_crops": collection.store_crops,
        "metadata": metadata,
        "person_count": counts.persons,
        "face_count": counts.faces,
        "detection": detection_body(profile_of(collection), base),
        "detection_revision": own.get("detection_revision", 1),
        "created_at": created,
        "updated_at": own.get("updated_at", created),
    }


def person_body(person: Person, faces: int | None = None) -> Body:
    """Return a person, with the number of faces where it was counted."""
    own, metadata = parted(person.metadata)
    created = person.created.isoformat()
    counted = {} if faces is None else {"face_count": faces}
    return {
        "id": person.id,
        "name": None if own.get("unnamed") else person.name,
        "external_id": own.get("external_id"),
        "metadata": metadata,
        **counted,
        "created_at": created,
        "updated_at": own.get("updated_at", created),
    }


def match_body(match: Match) -> Body:
    """Return somebody who is alike."""
    return {
        "person": person_body(match.person),
        "similarity": match.similarity,
        "matched_face_id": match.face_id,
    }


def sample_body(face: FaceRecord, person_id: str) -> Body:
    """Return an enrolled face; where it was in its photo is not kept here, and so is null."""
    model = space_body(face.embedding.space)
    del model["embedding_dimension"]
    return {
        "id": face.id,
        "person_id": person_id,
        "bounding_box": None,
        "landmarks": None,
        "detection_score": None,
        "quality": None if face.quality is None else {"score": round(face.quality, 4)},
        **model,
        "embedding_source": "server",
        "has_crop": face.crop is not None,
        "created_at": face.created.isoformat(),
    }
