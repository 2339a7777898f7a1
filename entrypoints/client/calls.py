"""Every operation of the service, as a request that is not sent yet."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote

from facecv.core.gallery import Metadata
from facecv.entrypoints.client.results import (
    Added,
    Comparison,
    Enrolled,
    EnrolledFace,
    FacesFound,
    FoundFace,
    Page,
    RemoteCollection,
    RemoteEmbedding,
    RemoteJob,
    RemotePerson,
)
from facecv.entrypoints.client.wire import (
    Call,
    Picture,
    content_of,
    listed,
    nothing,
    paged,
    plain,
    raw,
    structured,
)

LINES = "application/x-ndjson"
Json = Mapping[str, Any]


def look(operation: str, image: Picture, options: Json) -> Call[FacesFound]:
    """Return a call of ``detect``, ``analyze`` or ``embed``."""
    return Call(
        "POST",
        f"/v1/{operation}",
        structured(FacesFound),
        form=_fields(options),
        files=[_file("image", image)],
    )


def draw(image: Picture, options: Json) -> Call[bytes]:
    """Return a call of ``draw``."""
    files = [_file("image", image)]
    return Call("POST", "/v1/draw", raw, form=_fields(options), files=files, accept="image/*")


def verify(
    one: Picture | RemoteEmbedding, other: Picture | RemoteEmbedding, options: Json
) -> Call[Comparison]:
    """Return a call of ``verify``."""
    sides = {"one": one, "other": other}
    body: dict[str, Any] = dict(options)
    for name, side in sides.items():
        if isinstance(side, RemoteEmbedding):
            body[name] = _embedding(side)
        else:
            file, content = content_of(side)
            body[name] = base64.b64encode(content).decode() if file else content.decode()
    return Call("POST", "/v1/verify", structured(Comparison), json=body)


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


def load(name: str, lines: bytes) -> Call[Added]:
    """Return a call that imports a collection."""
    return Call("POST", _path(name, "import"), structured(Added), content=lines)


def enroll(
    collection: str, name: str, photos: Sequence[Picture], metadata: Metadata, options: Json
) -> Call[Enrolled]:
    """Return a call that enrols a person."""
    form = _fields({"name": name, "metadata": dict(metadata) or None, **options})
    files = [_file("images", photo) for photo in photos]
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
    files = [_file("images", photo) for photo in photos]
    path = _path(collection, "persons", person_id, "faces")
    return Call("POST", path, structured(Enrolled), form=_fields(options), files=files)


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
        return Call("POST", path, read, json={"embedding": _embedding(probe), **options})
    return Call("POST", path, read, form=_fields(options), files=[_file("image", probe)])


def batch(
    operation: Literal["detect", "analyze", "enroll", "search", "verify"],
    images: Iterable[Picture],
    options: Json,
) -> Call[Json]:
    """Return a call of a batch, whose items come as lines."""
    files = [_file("images", image) for image in images]
    path = f"/v1/batch/{operation}"
    return Call("POST", path, plain, form=_fields(options), files=files, accept=LINES)


def ask(path: str) -> Call[Json]:
    """Return a call that only asks, such as ``/v1/system``."""
    return Call("GET", path, plain)


def change_model(action: Literal["load", "unload", "switch"], body: Json) -> Call[Json]:
    """Return a call that changes which models are loaded."""
    return Call("POST", f"/v1/models/{action}", plain, json=dict(body))


def pull(pack: str) -> Call[RemoteJob]:
    """Return a call that downloads a pack."""
    path = f"/v1/models/packs/{quote(pack, safe='')}/pull"
    return Call("POST", path, structured(RemoteJob, "job"))


def verify_pack(pack: str) -> Call[Json]:
    """Return a call that checks the files of a pack."""
    return Call("POST", f"/v1/models/packs/{quote(pack, safe='')}/verify", plain)


def remove_pack(pack: str) -> Call[Json]:
    """Return a call that deletes the files of a pack."""
    return Call("DELETE", f"/v1/models/packs/{quote(pack, safe='')}", plain)


def jobs() -> Call[list[RemoteJob]]:
    """Return a call that lists jobs."""
    return Call("GET", "/v1/jobs", listed(RemoteJob, "jobs"))


def job(job_id: str) -> Call[RemoteJob]:
    """Return a call that asks for a job."""
    return Call("GET", f"/v1/jobs/{quote(job_id, safe='')}", structured(RemoteJob, "job"))


def cancel_job(job_id: str) -> Call[RemoteJob]:
    """Return a call that cancels a job."""
    return Call("DELETE", f"/v1/jobs/{quote(job_id, safe='')}", structured(RemoteJob, "job"))


def _path(collection: str, *parts: str) -> str:
    return "/".join(("/v1/collections", *(quote(part, safe="") for part in (collection, *parts))))


def _file(field: str, picture: Picture) -> tuple[str, tuple[Any, bytes]]:
    name, content = content_of(picture)
    return field, (name or None, content)


def _embedding(embedding: RemoteEmbedding) -> dict[str, Any]:
    space = dict(embedding.space)
    return {"vector": list(embedding.vector), "space": space, "norm": embedding.norm}


def _fields(options: Json) -> dict[str, Any]:
    """Return options as fields of a form: objects as JSON, lists with commas."""
    fields: dict[str, Any] = {}
    for name, value in options.items():
        if isinstance(value, Mapping):
            fields[name] = json.dumps(dict(value))
        elif isinstance(value, list | tuple):
            fields[name] = ",".join(map(str, value))
        else:
            fields[name] = value
    return fields
