"""Enrolled faces of a person: add, list, delete, look at the stored crop."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.params import PathParameter

from facecv.core.errors import FaceRecordNotFoundError
from facecv.core.gallery import FaceRecord
from facecv.entrypoints.api import Gallery
from facecv.entrypoints.http.access import requires
from facecv.entrypoints.http.bodies import read_form
from facecv.entrypoints.http.controllers.collections import CollectionName
from facecv.entrypoints.http.controllers.persons import (
    ENROLLED,
    EnrolledAnswer,
    PersonId,
    PhotoFields,
    enrolled_answer,
    photos_of,
)
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.gallery_shapes import EnrolledFaceShape, enrolled_shape
from facecv.entrypoints.http.openapi import operation, picture_body
from facecv.entrypoints.http.pages import Cursor, Limit, after, cursor_after
from facecv.entrypoints.http.request_id import request_id
from facecv.entrypoints.http.service import ServiceParam

FaceId = Annotated[str, PathParameter(description="Id of an enrolled face.")]


class FacePage(msgspec.Struct):
    """A page of enrolled faces, by id.

    Attributes:
        request_id: as in the header X-Request-Id.
        faces: without their embeddings.
        next_cursor: of the next page; null on the last one.
    """

    request_id: str
    faces: list[EnrolledFaceShape]
    next_cursor: str | None


_EXAMPLE = EnrolledFaceShape(
    "5e2a", "ada.jpg", 0.83, False, datetime(2026, 1, 5, 8, 31, tzinfo=UTC)
)


class EnrolledFaceController(Controller):
    """Faces that belong to persons."""

    path = "/collections/{collection:str}/persons/{person:str}/faces"
    tags = ("Persons",)

    @post(
        "/",
        guards=[requires("enrol")],
        operation_class=operation(
            ENROLLED,
            errors=(404, 409, 413, 415),
            body=picture_body(PhotoFields, ["images"], many=["images"], raw=False),
        ),
    )
    async def add(
        self,
        request: AnyRequest,
        service: ServiceParam,
        collection: CollectionName,
        person: PersonId,
    ) -> EnrolledAnswer:
        """Add the largest face of each photo to a person."""
        form = await read_form(request, PhotoFields, ["images"], service.config)
        options, photos = form.fields.enrolment(service), photos_of(form)
        find = form.fields.options(service.engine.analyser.find, service.config.limits)
        enroller = service.engine.gallery(collection).enroller()
        done = await service.run(
            request, lambda: enroller.add_photos(collection, person, photos, options, find)
        )
        return enrolled_answer(request, done)

    @get(
        "/",
        guards=[requires("read")],
        operation_class=operation(FacePage("a1", [_EXAMPLE], None), errors=(404,)),
    )
    async def faces(
        self,
        request: AnyRequest,
        service: ServiceParam,
        collection: CollectionName,
        person: PersonId,
        *,
        limit: Limit = 50,
        cursor: Cursor = "",
    ) -> FacePage:
        """List a person's faces, a page at a time."""
        gallery, start = service.engine.gallery(collection), after(cursor)
        found = await service.run(request, lambda: [face for _, face in gallery.faces(person)])
        rest = [face for face in found if face.id > start]
        following = cursor_after([face.id for face in rest[: limit + 1]], limit)
        page = [enrolled_shape(face) for face in rest[:limit]]
        return FacePage(request_id(request.scope), page, following)

    @delete("/{face:str}", guards=[requires("enrol")], operation_class=operation(errors=(404,)))
    async def remove(
        self,
        request: AnyRequest,
        service: ServiceParam,
        collection: CollectionName,
        person: PersonId,
        face: FaceId,
    ) -> None:
        """Delete one face; its person stays."""
        gallery = service.engine.gallery(collection)

        def work() -> None:
            gallery.delete_face(face_of(gallery, person, face).id)

        await service.run(request, work)

    @get(
        "/{face:str}/image",
        guards=[requires("read")],
        media_type="image/jpeg",
        operation_class=operation(errors=(404,), files=["image/jpeg"]),
    )
    async def image(
        self,
        request: AnyRequest,
        service: ServiceParam,
        collection: CollectionName,
        person: PersonId,
        face: FaceId,
    ) -> Response[bytes]:
        """Answer with the aligned crop, 112 x 112, where the collection keeps crops."""
        gallery = service.engine.gallery(collection)
        content = await service.run(request, lambda: crop_file(gallery, person, face))
        return Response(content, media_type="image/jpeg")


def face_of(gallery: Gallery, person_id: str, face_id: str) -> FaceRecord:
    """Return a face of a person.

    Raises:
        PersonNotFoundError: there is no such person.
        FaceRecordNotFoundError: the person has no such face.
    """
    found = next((face for _, face in gallery.faces(person_id) if face.id == face_id), None)
    if found is None:
        raise FaceRecordNotFoundError(f"the person {person_id!r} has no face {face_id!r}")
    return found


def crop_file(gallery: Gallery, person_id: str, face_id: str) -> bytes:
    """Return the stored crop of a face as a JPEG file.

    Raises:
        FaceRecordNotFoundError: there is no such face, or its crop was not kept.
    """
    face = face_of(gallery, person_id, face_id)
    if face.crop is None:
        raise FaceRecordNotFoundError(
            f"the crop of the face {face_id!r} was not kept",
            hint="set store_crops of the collection before enrolling",
        )
    return gallery.engine.parts.annotator.encode(face.crop, ".jpg")
