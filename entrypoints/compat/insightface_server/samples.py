"""Routes of the enrolled faces of a person."""

from litestar import Response, delete, get, post

from facecv.entrypoints.compat.insightface_server.fields import PhotoFields
from facecv.entrypoints.compat.insightface_server.registration import Registration
from facecv.entrypoints.compat.insightface_server.shapes import Body, sample_body, told
from facecv.entrypoints.http.access import requires
from facecv.entrypoints.http.bodies import read_form
from facecv.entrypoints.http.controllers.collections import CollectionName
from facecv.entrypoints.http.controllers.enrolled import FaceId, crop_file, face_of
from facecv.entrypoints.http.controllers.persons import PersonId
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.pages import Cursor, Limit, after, cursor_after
from facecv.entrypoints.http.service import ServiceParam

_FACES = "/collections/{collection:str}/persons/{person:str}/faces"


@post(_FACES, guards=[requires("enrol")])
async def add(
    request: AnyRequest, service: ServiceParam, collection: CollectionName, person: PersonId
) -> Body:
    """Add photos to a person; bad ones are reported, even if all are."""
    form = await read_form(request, PhotoFields, ["images"], service.config)
    gallery = service.engine.gallery(collection)

    def work() -> Body:
        gallery.repo.person(collection, person)
        done = Registration.of(gallery, form.fields).register(
            person, form.pictures.get("images", ())
        )
        return {"faces": done.faces, "rejected_images": done.rejected}

    return told(request, **await service.run(request, work))


@get(_FACES, guards=[requires("read")])
async def faces(
    request: AnyRequest,
    service: ServiceParam,
    collection: CollectionName,
    person: PersonId,
    *,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Body:
    """List a person's faces, a page at a time."""
    gallery, start = service.engine.gallery(collection), after(cursor)

    def work() -> Body:
        found = [face for _, face in gallery.faces(person) if face.id > start]
        following = cursor_after([face.id for face in found[: limit + 1]], limit)
        page = [sample_body(face, person) for face in found[:limit]]
        return {"faces": page, "next_cursor": following}

    return told(request, **await service.run(request, work))


@delete(_FACES + "/{face:str}", guards=[requires("enrol")])
async def remove(
    request: AnyRequest,
    service: ServiceParam,
    collection: CollectionName,
    person: PersonId,
    *,
    face: FaceId,
) -> None:
    """Delete one face; its person stays."""
    gallery = service.engine.gallery(collection)
    await service.run(request, lambda: gallery.delete_face(face_of(gallery, person, face).id))


@get(_FACES + "/{face:str}/image", guards=[requires("read")])
async def image(
    request: AnyRequest,
    service: ServiceParam,
    collection: CollectionName,
    person: PersonId,
    *,
    face: FaceId,
) -> Response[bytes]:
    """Answer with the crop of a face that was kept, aligned, as JPEG."""
    gallery = service.engine.gallery(collection)
    content = await service.run(request, lambda: crop_file(gallery, person, face))
    return Response(content, media_type="image/jpeg", headers={"Cache-Control": "no-store"})
