"""Routes of collections, and searches in them."""

import time

import attrs
import msgspec
from litestar import delete, get, patch, post
from litestar.params import JSONBody

from facecv.core.errors import FaceNotFoundError
from facecv.core.gallery import Collection, now
from facecv.core.services.follow import default_threshold
from facecv.core.services.identify import IdentifyOptions
from facecv.entrypoints.api import Engine, Gallery
from facecv.entrypoints.compat.insightface_server.fields import (
    CollectionChange,
    NewCollection,
    SearchFields,
    one_face,
)
from facecv.entrypoints.compat.insightface_server.notes import joined, parted
from facecv.entrypoints.compat.insightface_server.shapes import (
    Body,
    collection_body,
    face_body,
    match_body,
    profile_of,
    told,
)
from facecv.entrypoints.http.access import check_collection, requires, visible
from facecv.entrypoints.http.bodies import Picture, read_form
from facecv.entrypoints.http.controllers.collections import CollectionName, Force
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.pages import Cursor, Limit, after, cursor_after
from facecv.entrypoints.http.service import ServiceParam


@post("/collections", guards=[requires("admin")])
async def create(request: AnyRequest, service: ServiceParam, data: JSONBody[NewCollection]) -> Body:
    """Make a collection for the embeddings of the default model."""
    check_collection(request, data.id)
    return told(
        request, collection=await service.run(request, lambda: _create(service.engine, data))
    )


@get("/collections", guards=[requires("read")])
async def collections(
    request: AnyRequest, service: ServiceParam, limit: Limit = 50, cursor: Cursor = ""
) -> Body:
    """List collections, a page at a time."""
    engine, start = service.engine, after(cursor)

    def work() -> Body:
        seen = [each for each in visible(request, engine.collections()) if each.name > start]
        following = cursor_after([each.name for each in seen[: limit + 1]], limit)
        page = [_counted(engine, each) for each in seen[:limit]]
        return {"collections": page, "next_cursor": following}

    return told(request, **await service.run(request, work))


@get("/collections/{collection:str}", guards=[requires("read")])
async def collection_of(
    request: AnyRequest, service: ServiceParam, collection: CollectionName
) -> Body:
    """Tell about a collection."""
    engine = service.engine
    found = await service.run(request, lambda: _counted(engine, engine.gallery(collection).info()))
    return told(request, collection=found)


@patch("/collections/{collection:str}", guards=[requires("admin")])
async def change(
    request: AnyRequest,
    service: ServiceParam,
    collection: CollectionName,
    data: JSONBody[CollectionChange],
) -> Body:
    """Change settings; faces that are enrolled stay as they are."""
    gallery = service.engine.gallery(collection)
    return told(request, collection=await service.run(request, lambda: _change(gallery, data)))


@delete("/collections/{collection:str}", guards=[requires("admin")])
async def remove(
    request: AnyRequest, service: ServiceParam, collection: CollectionName, force: Force = False
) -> None:
    """Delete a collection; one with persons only with `force`."""
    forgetter = service.engine.gallery(collection).forgetter()
    await service.run(request, lambda: forgetter.collection(collection, only_empty=not force))


@post("/collections/{collection:str}/search", status_code=200, guards=[requires("read")])
async def search(request: AnyRequest, service: ServiceParam, collection: CollectionName) -> Body:
    """Tell who is like the face of a picture that counts, the most alike first."""
    form = await read_form(request, SearchFields, ["image"], service.config)
    picture, gallery = form.picture("image"), service.engine.gallery(collection)
    return told(
        request, **await service.run(request, lambda: _search(gallery, picture, form.fields))
    )


def _create(engine: Engine, data: NewCollection) -> Body:
    with engine.analyser.hold_embedder() as embedder:
        space = embedder.model.space
    settings = msgspec.to_builtins(data.search)
    settings.pop("profile", None)  # there is but one
    own = {
        "name": data.name,
        "description": data.description or None,
        "detection": msgspec.to_builtins(data.detection) or None,
        "search": settings or None,
    }
    made = Collection(
        data.id,
        space,
        threshold=data.threshold,
        store_crops=bool(data.save_face_crops),
        metadata=joined(own, data.metadata),
    )
    engine.gallery(data.id).repo.create_collection(made)
    return _counted(engine, made)


def _counted(engine: Engine, collection: Collection) -> Body:
    threshold = engine.config.recognition.threshold
    if threshold is None:
        threshold = default_threshold(engine.analyser, collection.space)
    counts = engine.gallery(collection.name).count()
    return collection_body(collection, counts, threshold, engine.analyser.find)


def _change(gallery: Gallery, data: CollectionChange) -> Body:
    # What was left out is not among the builtins, so this is what the client sent.
    said: Body = msgspec.to_builtins(data)
    with gallery.repo.transaction():
        old = gallery.info()
        own, metadata = parted(old.metadata)
        own |= {name: said[name] for name in ("name", "description") if name in said}
        own |= {
            name: own.get(name, {}) | said[name] for name in ("search", "detection") if name in said
        }
        if "detection" in said:
            own["detection_revision"] = own.get("detection_revision", 1) + 1
        own["updated_at"] = now().isoformat()
        changed = attrs.evolve(
            old,
            threshold=said.get("threshold", old.threshold),
            store_crops=said.get("save_face_crops", old.store_crops),
            metadata=joined(own, said.get("metadata", metadata)),
        )
        gallery.repo.update_collection(changed)
    return _counted(gallery.engine, changed)


def _search(gallery: Gallery, picture: Picture, fields: SearchFields) -> Body:
    begun = time.perf_counter()
    image = gallery.engine.read(picture.source)
    find = one_face(profile_of(gallery.info()), gallery.engine.analyser.find)
    # No margin: everybody above the threshold is told, however close the best two are.
    options = IdentifyOptions(fields.limit, fields.threshold, margin=0.0)
    found = gallery.identify(image, options, find)
    if not found:
        raise FaceNotFoundError("there is no usable face in the picture")
    answer = found[0].identification
    return {
        "searched_face": face_body(found[0].face, image),
        "matches": [match_body(match) for match in answer.matches],
        "threshold": answer.threshold,
        "processing_ms": round((time.perf_counter() - begun) * 1000, 3),
    }
