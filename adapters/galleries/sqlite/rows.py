"""Values as rows of the tables, and back."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import cv2
import numpy as np

from facecv.adapters.galleries.sqlite.seal import Seal
from facecv.core.arrays import Floats, Pixels
from facecv.core.embedding import Embedding, EmbeddingSpace
from facecv.core.errors import GallerySchemaError
from facecv.core.gallery import Collection, FaceRecord, Metadata, Person

Row = Mapping[str, Any]
"""A row by the names of its columns; its types are those of the schema."""

_VECTOR = np.dtype("<f4")


def collection_row(collection: Collection) -> dict[str, object]:
    """Return what a collection's row holds, except its space."""
    return {
        "name": collection.name,
        "threshold": collection.threshold,
        "margin": collection.margin,
        "gate": collection.gate,
        "store_crops": int(collection.store_crops),
        "metadata": metadata_text(collection.metadata),
        "created": _time_text(collection.created),
    }


def as_collection(row: Row) -> Collection:
    """Return the collection of a row joined with its space."""
    return Collection(
        name=row["name"],
        space=as_space(row),
        threshold=row["threshold"],
        margin=row["margin"],
        gate=row["gate"],
        store_crops=bool(row["store_crops"]),
        metadata=as_metadata(row["metadata"]),
        created=datetime.fromisoformat(row["created"]),
    )


def as_space(row: Row) -> EmbeddingSpace:
    """Return the space whose columns are in a row."""
    return EmbeddingSpace(
        model=row["space_model"],
        dim=row["space_dim"],
        digest=row["space_digest"],
        preprocessing=row["space_preprocessing"],
    )


def person_row(person: Person) -> dict[str, object]:
    """Return what a person's row holds, except the collection."""
    return {
        "id": person.id,
        "name": person.name,
        "metadata": metadata_text(person.metadata),
        "created": _time_text(person.created),
    }


def as_person(row: Row) -> Person:
    """Return the person of a row."""
    return Person(
        name=row["name"],
        id=row["id"],
        metadata=as_metadata(row["metadata"]),
        created=datetime.fromisoformat(row["created"]),
    )


def face_values(face: FaceRecord, seal: Seal) -> tuple[object, ...]:
    """Return id, vector, norm, source, digest, quality, time and crop as they are stored."""
    vector = face.embedding.vector.astype(_VECTOR, copy=False).tobytes()
    return (
        face.id,
        seal.close(vector, vector_label(face.id)),
        face.embedding.norm,
        face.source,
        face.digest,
        face.quality,
        _time_text(face.created),
        None if face.crop is None else seal.close(_png(face.crop), crop_label(face.id)),
    )


def vector_label(face_id: str) -> bytes:
    """Return what binds a sealed vector to its row."""
    return b"vector " + face_id.encode()


def crop_label(face_id: str) -> bytes:
    """Return what binds a sealed crop to its row."""
    return b"crop " + face_id.encode()


def as_face(row: Row, space: EmbeddingSpace, seal: Seal) -> FaceRecord:
    """Return the face of a row whose vector is of `space`."""
    face_id, crop = row["id"], row["crop"]
    vector = as_vectors([seal.open(row["vector"], vector_label(face_id))], space.dim)[0]
    return FaceRecord(
        embedding=Embedding(vector, space, norm=row["norm"]),
        id=face_id,
        source=row["source"],
        digest=row["digest"],
        quality=row["quality"],
        crop=None if crop is None else _pixels(seal.open(crop, crop_label(face_id))),
        created=datetime.fromisoformat(row["created"]),
    )


def open_vectors(faces: Sequence[tuple[str, bytes]], dim: int, seal: Seal) -> Floats:
    """Return float32 [N, dim] from N (id, stored vector)."""
    if not seal.secret:
        return as_vectors([blob for _, blob in faces], dim)
    return as_vectors([seal.open(blob, vector_label(face_id)) for face_id, blob in faces], dim)


def as_vectors(blobs: list[bytes], dim: int) -> Floats:
    """Return float32 [N, dim] from N stored vectors."""
    if any(len(blob) != dim * _VECTOR.itemsize for blob in blobs):
        raise GallerySchemaError(f"a stored vector does not have {dim} numbers")
    flat = np.frombuffer(b"".join(blobs), _VECTOR).astype(np.float32)
    return flat.reshape(len(blobs), dim)


def metadata_text(metadata: Metadata) -> str:
    """Return metadata as JSON in ASCII."""
    return json.dumps(dict(metadata))


def fact_rows(metadata: Metadata) -> list[tuple[str, str | int | float]]:
    """Return metadata as names and values that SQLite compares as JSON does.

    Numbers stay numbers (1 equals 1.0); everything else is its JSON, in ASCII: whatever a text
    holds can be stored, and true is not 1.
    """
    return [
        (
            json.dumps(name),
            value
            if isinstance(value, int | float) and not isinstance(value, bool)
            else json.dumps(value),
        )
        for name, value in metadata.items()
    ]


def as_metadata(text: str) -> dict[str, Any]:
    """Return metadata from JSON."""
    metadata: dict[str, Any] = json.loads(text)
    return metadata


def _time_text(time: datetime) -> str:
    utc = time if time.tzinfo is UTC else time.astimezone(UTC)
    return utc.isoformat()


def _png(crop: Pixels) -> bytes:
    return cv2.imencode(".png", crop)[1].tobytes()


def _pixels(png: bytes) -> Pixels:
    crop = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    if crop is None:
        raise GallerySchemaError("a stored crop is damaged")
    return crop.astype(np.uint8, copy=False)
