"""What answers about collections, persons and enrolled faces look like."""

from datetime import datetime
from typing import Annotated, Literal

import attrs
import msgspec
from msgspec import Meta

from facecv.core.gallery import Collection, Counts, FaceRecord, Identification, Person
from facecv.core.services.enrol import Enrolment, PhotoResult
from facecv.entrypoints.http.errors import ErrorBody, error_body, wire_code
from facecv.entrypoints.http.shapes import FaceShape, SpaceShape

MetadataFields = dict[
    Annotated[str, Meta(max_length=200)],
    Annotated[str, Meta(max_length=10_000)] | int | float | bool | None,
]
"""A flat JSON object."""


class CollectionShape(msgspec.Struct):
    """A collection.

    Attributes:
        name: unique.
        space: the space of its embeddings.
        threshold: similarity from which a face counts as known; null: the model's own.
        margin: the best two persons closer than this are ambiguous; null: the server's own.
        gate: the quality that enrolled faces must have; null: the server's own.
        store_crops: whether aligned crops of enrolled faces are kept.
        metadata: free facts.
        created: when it was made.
        persons: how many.
        faces: how many.
    """

    name: str
    space: SpaceShape
    threshold: float | None
    margin: float | None
    gate: str | None
    store_crops: bool
    metadata: MetadataFields
    created: datetime
    persons: int
    faces: int


class PersonShape(msgspec.Struct):
    """Somebody enrolled.

    Attributes:
        id: unique in the collection.
        name: for people to read.
        metadata: free facts; searches filter by them.
        created: when the person was made.
        faces: how many are enrolled; null where it was not counted.
    """

    id: str
    name: str
    metadata: MetadataFields
    created: datetime
    faces: int | None = None


class EnrolledFaceShape(msgspec.Struct):
    """An enrolled face; its embedding stays here.

    Attributes:
        id: unique in the collection.
        source: name of the photo.
        quality: at enrolment, 0..1.
        has_crop: whether the aligned crop is kept.
        created: when it was enrolled.
    """

    id: str
    source: str
    quality: float | None
    has_crop: bool
    created: datetime


class ImageReport(msgspec.Struct):
    """A photo that was taken.

    Attributes:
        index: in the order of the request, from 0.
        filename: its name.
        status: `known`: the person has this very face already.
        face_id: of the new face; null if it is known.
        quality: 0..1.
    """

    index: int
    filename: str
    status: Literal["enrolled", "known"]
    face_id: str | None
    quality: float | None


class RejectedImage(msgspec.Struct):
    """A photo that was not taken.

    Attributes:
        index: in the order of the request, from 0.
        filename: its name.
        reason: the code of the error.
        error: all of it.
    """

    index: int
    filename: str
    reason: str
    error: ErrorBody


class MatchShape(msgspec.Struct):
    """A person that resembles a face.

    Attributes:
        person: who.
        face_id: the enrolled face that is most alike.
        similarity: cosine, -1..1.
    """

    person: PersonShape
    face_id: str
    similarity: float


class FoundShape(msgspec.Struct):
    """Who a face is.

    Attributes:
        status: `match`, `ambiguous` (the best two are too close) or `unknown`.
        person: who it is; null unless the status is `match`.
        matches: persons at or above the threshold, by falling similarity.
        threshold: the similarity that was needed.
        best: the highest similarity seen; null in an empty collection.
        face: the face of the picture; null where an embedding was searched.
    """

    status: Literal["match", "ambiguous", "unknown"]
    person: PersonShape | None
    matches: list[MatchShape]
    threshold: float
    best: float | None
    face: FaceShape | None = None


def collection_shape(collection: Collection, counts: Counts) -> CollectionShape:
    """Return a collection with how much is in it."""
    return CollectionShape(
        name=collection.name,
        space=SpaceShape(**attrs.asdict(collection.space)),
        threshold=collection.threshold,
        margin=collection.margin,
        gate=collection.gate,
        store_crops=collection.store_crops,
        metadata=dict(collection.metadata),
        created=collection.created,
        persons=counts.persons,
        faces=counts.faces,
    )


def person_shape(person: Person, faces: int | None = None) -> PersonShape:
    """Return a person, with the number of faces where it is known."""
    return PersonShape(person.id, person.name, dict(person.metadata), person.created, faces)


def enrolled_shape(face: FaceRecord) -> EnrolledFaceShape:
    """Return an enrolled face."""
    return EnrolledFaceShape(
        face.id, face.source, face.quality, face.crop is not None, face.created
    )


def image_reports(done: Enrolment) -> tuple[list[ImageReport], list[RejectedImage]]:
    """Return what became of the photos: those that were taken, and those that were not."""
    taken, rejected = [], []
    for index, photo in enumerate(done.photos):
        if photo.error is None:
            taken.append(_report(index, photo))
        else:
            error = error_body(photo.error)
            rejected.append(RejectedImage(index, photo.source, wire_code(photo.error), error))
    return taken, rejected


def _report(index: int, photo: PhotoResult) -> ImageReport:
    status: Literal["enrolled", "known"] = "enrolled" if photo.face_id else "known"
    return ImageReport(index, photo.source, status, photo.face_id or None, photo.quality)


def found_shape(found: Identification, face: FaceShape | None = None) -> FoundShape:
    """Return who a face is."""
    matches = [
        MatchShape(person_shape(match.person), match.face_id, match.similarity)
        for match in found.matches
    ]
    person = person_shape(found.person) if found.person else None
    return FoundShape(found.status, person, matches, found.threshold, found.best, face)
