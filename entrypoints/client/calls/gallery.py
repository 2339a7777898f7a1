"""Requests about collections, persons and faces."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from facecv.core.gallery import Metadata
from facecv.entrypoints.client.calls.parts import LINES, Json, embedding_body, fields_of, upload
from facecv.entrypoints.client.results import (
    Added,
    Enrolled,
    EnrolledFace,
    FoundFace,
    Page,
    RemoteCollection,
    RemoteEmbedding,
    RemoteJob,
    RemotePerson,
)
from facecv.entrypoints.client.wire import Call, Picture, listed, nothing, paged, raw, structured


def create_collection(name: str, settings: Json) -> Call[RemoteCollection]:
    """Return a call that makes a collection."""
    read = structured(RemoteCollection, "collection")
    return Call("POST", "/v1/collections", read, json={"name": name, **settings})


def collections(limit: int, cursor: str | None) -> Call[Page[RemoteCollection]]:
    """Return a call that lists collections."""
    params = {"limit": limit, "cursor": cursor}
    return Call("GET", "/v1/collections", paged(RemoteCollection, "collections"), params)


def collection(name: str) -> Call[RemoteCollection]:
    """Return a call that tells about a collection."""
    return Call("GET", _path(name), structured(RemoteCollection, "collection"))


def update_collection(name: str, changes: Json) -> Call[RemoteCollection]:
    """Return a call that changes a collection."""
    read = structured(RemoteCollection, "collection")
    return Call("PATCH", _path(name), read, json=dict(changes))


def delete_collection(name: str, *, force: bool) -> Call[None]:
    """Return a call that deletes a collection."""
    return Call("DELETE", _path(name), nothing, {"force": force})


def export(name: str) -> Call[bytes]:
    """Return a call that exports a collection."""
    return Call("GET", _path(name, "export"), raw, accept=LINES)


def load(name: str, content: Any) -> Call[Added]:  # noqa: ANN401 - what httpx takes
    """Return a call that imports a collection; the content can be read only once."""
    return Call("POST", _path(name, "import"), structured(Added), content=content, once=True)


def migrate(name: str, model: str, options: Json) -> Call[RemoteJob]:
    """Return a call that moves a collection to another model."""
    body = {"model": model, **options}
    return Call("POST", _path(name, "migrate"), structured(RemoteJob, "job"), json=body)


def enroll(
    collection: str, name: str, photos: Sequence[Picture], metadata: Metadata, options: Json
) -> Call[Enrolled]:
    """Return a call that enrols a person."""
    form = fields_of({"name": name, "metadata": dict(metadata) or None, **options})
    files = [upload("images", photo) for photo in photos]
    path = _path(collection, "persons")
    return Call("POST", path, structured(Enrolled), form=form, files=files)


def persons(
    collection: str, name: str | None, limit: int, cursor: str | None
) -> Call[Page[RemotePerson]]:
    """Return a call that lists persons."""
    params = {"name": name, "limit": limit, "cursor": cursor}
    return Call("GET", _path(collection, "persons"), paged(RemotePerson, "persons"), params)


def person(collection: str, person_id: str) -> Call[RemotePerson]:
    """Return a call that tells about a person."""
    path = _path(collection, "persons", person_id)
    return Call("GET", path, structured(RemotePerson, "person"))


def update_person(collection: str, person_id: str, changes: Json) -> Call[RemotePerson]:
    """Return a call that changes a person."""
    path = _path(collection, "persons", person_id)
    return Call("PATCH", path, structured(RemotePerson, "person"), json=dict(changes))


def delete_person(collection: str, person_id: str) -> Call[None]:
    """Return a call that deletes a person."""
    return Call("DELETE", _path(collection, "persons", person_id), nothing)


def delete_persons(collection: str, name: str) -> Call[list[RemotePerson]]:
    """Return a call that deletes everybody of a name."""
    path = _path(collection, "persons")
    return Call("DELETE", path, listed(RemotePerson, "persons"), {"name": name})


def add_faces(
    collection: str, person_id: str, photos: Sequence[Picture], options: Json
) -> Call[Enrolled]:
    """Return a call that adds faces to a person."""
    files = [upload("images", photo) for photo in photos]
    path = _path(collection, "persons", person_id, "faces")
    return Call("POST", path, structured(Enrolled), form=fields_of(options), files=files)


def faces(
    collection: str, person_id: str, limit: int, cursor: str | None
) -> Call[Page[EnrolledFace]]:
    """Return a call that lists a person's faces."""
    path = _path(collection, "persons", person_id, "faces")
    params = {"limit": limit, "cursor": cursor}
    return Call("GET", path, paged(EnrolledFace, "faces"), params)


def delete_face(collection: str, person_id: str, face_id: str) -> Call[None]:
    """Return a call that deletes a face."""
    return Call("DELETE", _path(collection, "persons", person_id, "faces", face_id), nothing)


def face_image(collection: str, person_id: str, face_id: str) -> Call[bytes]:
    """Return a call that fetches a stored crop."""
    path = _path(collection, "persons", person_id, "faces", face_id, "image")
    return Call("GET", path, raw, accept="image/jpeg")


def search(
    collection: str, probe: Picture | RemoteEmbedding, options: Json
) -> Call[list[FoundFace]]:
    """Return a call that searches."""
    path, read = _path(collection, "search"), listed(FoundFace, "results")
    if isinstance(probe, RemoteEmbedding):
        return Call("POST", path, read, json={"embedding": embedding_body(probe), **options})
    return Call("POST", path, read, form=fields_of(options), files=[upload("image", probe)])


def _path(collection: str, *parts: str) -> str:
    return "/".join(("/v1/collections", *(quote(part, safe="") for part in (collection, *parts))))
