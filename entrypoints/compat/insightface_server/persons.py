"""Routes of persons."""

from typing import Annotated, Any

import attrs
import msgspec
from litestar import delete, get, patch, post
from litestar.params import JSONBody, QueryParameter

from facecv.core.errors import AlreadyExistsError
from facecv.core.gallery import Person, new_id, now
from facecv.entrypoints.api import Gallery
from facecv.entrypoints.compat.insightface_server.fields import PersonChange, PersonFields
from facecv.entrypoints.compat.insightface_server.notes import OWN, joined, parted
from facecv.entrypoints.compat.insightface_server.registration import Registration
from facecv.entrypoints.compat.insightface_server.shapes import Body, person_body, told
from facecv.entrypoints.http.access import requires
from facecv.entrypoints.http.bodies import Form, read_form
from facecv.entrypoints.http.controllers.collections import CollectionName
from facecv.entrypoints.http.controllers.persons import PersonId
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.pages import Cursor, Limit, after, cursor_after
from facecv.entrypoints.http.service import ServiceParam

Text = Annotated[str, QueryParameter(max_length=200, description="Part of id, name, external id.")]
_AT_ONCE = 500
_PERSONS = "/collections/{collection:str}/persons"


@post(_PERSONS, guards=[requires("enrol")])
async def enrol(request: AnyRequest, service: ServiceParam, collection: CollectionName) -> Body:
    """Enrol a person with photos; bad ones are reported, as long as one is good."""
    form = await read_form(request, PersonFields, ["images"], service.config)
    gallery = service.engine.gallery(collection)
    return told(request, **await service.run(request, lambda: _enrol(gallery, form)))


@get(_PERSONS, guards=[requires("read")])
async def persons(
    request: AnyRequest,
    service: ServiceParam,
    collection: CollectionName,
    search: Text = "",
    *,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Body:
    """List persons, or those in whose id, name or external id a text is, a page at a time."""
    gallery, start = service.engine.gallery(collection), after(cursor)

    def work() -> Body:
        found = _persons(gallery, start, limit + 1, search.casefold())
        following = cursor_after([person.id for person in found], limit)
        page = [_counted(gallery, person) for person in found[:limit]]
        return {"persons": page, "next_cursor": following}

    return told(request, **await service.run(request, work))


@get(_PERSONS + "/{person:str}", guards=[requires("read")])
async def person_of(
    request: AnyRequest, service: ServiceParam, collection: CollectionName, person: PersonId
) -> Body:
    """Tell about a person."""
    gallery = service.engine.gallery(collection)
    found = await service.run(
        request, lambda: _counted(gallery, gallery.repo.person(collection, person))
    )
    return told(request, person=found)


@patch(_PERSONS + "/{person:str}", guards=[requires("enrol")])
async def change(
    request: AnyRequest,
    service: ServiceParam,
    collection: CollectionName,
    person: PersonId,
    data: JSONBody[PersonChange],
) -> Body:
    """Change a person's name, external id or metadata."""
    gallery = service.engine.gallery(collection)
    return told(request, person=await service.run(request, lambda: _change(gallery, person, data)))


@delete(_PERSONS + "/{person:str}", guards=[requires("enrol")])
async def remove(
    request: AnyRequest, service: ServiceParam, collection: CollectionName, person: PersonId
) -> None:
    """Delete a person with all faces."""
    gallery = service.engine.gallery(collection)
    await service.run(request, lambda: gallery.delete_person(person))


def _enrol(gallery: Gallery, form: Form[PersonFields]) -> Body:
    fields, registration = form.fields, Registration.of(gallery, form.fields)
    own_id = fields.id or new_id()
    _check_external_id(gallery, own_id, fields.external_id or None)
    who = _made(own_id, fields.name, fields.external_id or None, fields.metadata)
    done = registration.register(who, form.pictures.get("images", ()))
    person = person_body(done.person, len(done.faces))
    return {"person": person, "faces": done.faces, "rejected_images": done.rejected}


def _made(own_id: str, name: str | None, external_id: str | None, metadata: Body) -> Person:
    """Return a person; one without a name has the id for a name here, and a note that says so."""
    own = {"external_id": external_id, "unnamed": None if name else True}
    return Person(name or own_id, own_id, joined(own, metadata))


def _change(gallery: Gallery, person_id: str, data: PersonChange) -> Body:
    said: Body = msgspec.to_builtins(data)
    with gallery.repo.transaction():
        old = gallery.repo.person(gallery.name, person_id)
        own, metadata = parted(old.metadata)
        if "external_id" in said:
            own["external_id"] = said["external_id"] or None
            _check_external_id(gallery, person_id, own["external_id"])
        if "name" in said:
            own["unnamed"] = None if said["name"] else True
        own["updated_at"] = now().isoformat()
        name = said.get("name", old.name) or person_id
        known = joined(own, said.get("metadata", metadata))
        gallery.repo.update_person(gallery.name, attrs.evolve(old, name=name, metadata=known))
    return _counted(gallery, gallery.repo.person(gallery.name, person_id))


def _check_external_id(gallery: Gallery, person_id: str, external_id: str | None) -> None:
    """Raise `AlreadyExistsError` if somebody else has an external id."""
    if external_id is None:
        return
    having = gallery.repo.persons(gallery.name, where={OWN + "external_id": external_id}, limit=2)
    if any(person.id != person_id for person in having):
        raise AlreadyExistsError(
            "somebody else has this external id", details={"external_id": external_id}
        )


def _counted(gallery: Gallery, person: Person) -> Body:
    return person_body(person, len(gallery.faces(person.id)))


def _persons(gallery: Gallery, start: str, most: int, text: str) -> list[Person]:
    """Return up to `most` persons with a text in them, by rising id, after the id `start`."""
    if not text:
        return gallery.repo.persons(gallery.name, after=start, limit=most)
    found: list[Person] = []
    while part := gallery.repo.persons(gallery.name, after=start, limit=_AT_ONCE):
        found += [person for person in part if _has(person, text)]
        start = part[-1].id
        if len(found) >= most:
            break
    return found[:most]


def _has(person: Person, text: str) -> bool:
    own, _ = parted(person.metadata)
    told_as: list[Any] = [person.id, person.name, own.get("external_id") or ""]
    return any(text in str(each).casefold() for each in told_as)
