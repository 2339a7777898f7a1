"""Persons: enrol, change, list, delete."""

from datetime import UTC, datetime
from typing import Annotated

import attrs
import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from facecv.core.errors import PersonNotFoundError
from facecv.core.gallery import Person, new_id
from facecv.core.quality import GateName
from facecv.core.services.enrol import Enrolment, EnrolOptions, KnownFaces
from facecv.core.services.photos import Photo
from facecv.entrypoints.api import Gallery
from facecv.entrypoints.http.access import requires
from facecv.entrypoints.http.bodies import Form, read_form
from facecv.entrypoints.http.controllers.collections import CollectionName
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.finding import FindFields
from facecv.entrypoints.http.gallery_shapes import (
    ImageReport,
    MetadataFields,
    PersonShape,
    RejectedImage,
    image_reports,
    person_shape,
)
from facecv.entrypoints.http.openapi import operation, picture_body
from facecv.entrypoints.http.pages import Cursor, Limit, after, cursor_after
from facecv.entrypoints.http.request_id import request_id
from facecv.entrypoints.http.service import Service, ServiceParam

PersonId = Annotated[str, PathParameter(description="Id of a person.")]
PersonName = Annotated[str, QueryParameter(max_length=200, description="Exactly this name.")]
MaybeName = Annotated[str | None, QueryParameter(max_length=200, description="Exactly this name.")]
_Name = Annotated[str, Meta(min_length=1, max_length=200)]


class PhotoFields(FindFields, kw_only=True):
    """How photos are taken in.

    Attributes:
        skip_bad: take the good ones and report the bad ones; otherwise one bad photo refuses all.
        gate: the quality a face must have; the collection's own if left out.
        known_faces: `refuse` rejects photos that are enrolled already and faces of somebody else.
    """

    skip_bad: bool = True
    gate: GateName | None = None
    known_faces: KnownFaces = "skip"

    def enrolment(self, service: Service) -> EnrolOptions:
        """Return the options of the service that enrols, for a collection that is there."""
        return EnrolOptions(
            gate=self.gate,
            skip_bad=self.skip_bad,
            liveness=service.engine.config.liveness.enrolment,
            known_faces=self.known_faces,
            new_collection=False,
        )


class PersonFields(PhotoFields, kw_only=True):
    """Somebody to enrol.

    Attributes:
        name: for people to read.
        id: of the person; a fresh one if left out.
        metadata: free facts; JSON in forms.
        merge: whether the photos go to the person who has that name already; otherwise 409.
    """

    name: _Name
    id: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    metadata: MetadataFields = msgspec.field(default_factory=dict)
    merge: bool = False


class PersonChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays."""

    name: _Name | UnsetType = UNSET
    metadata: MetadataFields | UnsetType = UNSET


class PersonAnswer(msgspec.Struct):
    """One person."""

    request_id: str
    person: PersonShape


class PersonPage(msgspec.Struct):
    """A page of persons, by id.

    Attributes:
        request_id: as in the header X-Request-Id.
        persons: without the number of their faces.
        next_cursor: of the next page; null on the last one.
    """

    request_id: str
    persons: list[PersonShape]
    next_cursor: str | None


class EnrolledAnswer(msgspec.Struct):
    """What became of a person's photos.

    Attributes:
        request_id: as in the header X-Request-Id.
        person: who was enrolled.
        created: whether the person is new.
        images: the photos that were taken.
        rejected_images: those that were not, and why.
    """

    request_id: str
    person: PersonShape
    created: bool
    images: list[ImageReport]
    rejected_images: list[RejectedImage]


class Deleted(msgspec.Struct):
    """Who was deleted."""

    request_id: str
    persons: list[PersonShape]


EXAMPLE = PersonShape(
    "7c1f", "Ada Lovelace", {"team": "math"}, datetime(2026, 1, 5, 8, 31, tzinfo=UTC), 2
)
ENROLLED = EnrolledAnswer(
    "a1", EXAMPLE, True, [ImageReport(0, "ada.jpg", "enrolled", "5e2a", 0.83)], []
)


class PersonController(Controller):
    """Persons of a collection."""

    path = "/collections/{collection:str}/persons"
    tags = ("Persons",)

    @post(
        "/",
        guards=[requires("enrol")],
        operation_class=operation(
            ENROLLED,
            errors=(404, 409, 413, 415),
            body=picture_body(
                PersonFields, ["images"], {"name": "Ada"}, many=["images"], raw=False
            ),
        ),
    )
    async def enrol(
        self, request: AnyRequest, service: ServiceParam, collection: CollectionName
    ) -> EnrolledAnswer:
        """Enrol a person with photos, the largest face of each; what is answered here is kept.

        Bad photos are reported one by one; if none is good, nobody is enrolled.
        """
        form = await read_form(request, PersonFields, ["images"], service.config)
        fields, gallery = form.fields, service.engine.gallery(collection)
        draft = Person(fields.name, fields.id or new_id(), fields.metadata)
        taken = attrs.evolve(
            fields.enrolment(service), taken_name="merge" if fields.merge else "refuse"
        )
        find = fields.options(service.engine.analyser.find, service.config.limits)
        photos = photos_of(form)
        done = await service.run(
            request, lambda: gallery.enroller().enrol(collection, draft, photos, taken, find)
        )
        return enrolled_answer(request, done)

    @get(
        "/",
        guards=[requires("read")],
        operation_class=operation(PersonPage("a1", [EXAMPLE], None), errors=(404,)),
    )
    async def persons(
        self,
        request: AnyRequest,
        service: ServiceParam,
        collection: CollectionName,
        name: MaybeName = None,
        *,
        limit: Limit = 50,
        cursor: Cursor = "",
    ) -> PersonPage:
        """List persons, or those of one name, a page at a time."""
        repo, start = service.engine.gallery(collection).repo, after(cursor)
        found = await service.run(
            request, lambda: repo.persons(collection, name=name, after=start, limit=limit + 1)
        )
        following = cursor_after([person.id for person in found], limit)
        page = [person_shape(person) for person in found[:limit]]
        return PersonPage(request_id(request.scope), page, following)

    @delete(
        "/",
        status_code=200,
        guards=[requires("enrol")],
        operation_class=operation(Deleted("a1", [EXAMPLE]), errors=(404,)),
    )
    async def remove_named(
        self,
        request: AnyRequest,
        service: ServiceParam,
        collection: CollectionName,
        name: PersonName,
    ) -> Deleted:
        """Delete everybody of a name, with all faces and events."""
        gallery = service.engine.gallery(collection)
        gone = await service.run(request, lambda: _delete_named(gallery, name))
        return Deleted(request_id(request.scope), [person_shape(person) for person in gone])

    @get(
        "/{person:str}",
        guards=[requires("read")],
        operation_class=operation(PersonAnswer("a1", EXAMPLE), errors=(404,)),
    )
    async def person(
        self,
        request: AnyRequest,
        service: ServiceParam,
        collection: CollectionName,
        person: PersonId,
    ) -> PersonAnswer:
        """Tell about a person."""
        gallery = service.engine.gallery(collection)
        shape = await service.run(request, lambda: _counted(gallery, person))
        return PersonAnswer(request_id(request.scope), shape)

    @patch(
        "/{person:str}",
        guards=[requires("enrol")],
        operation_class=operation(
            PersonAnswer("a1", EXAMPLE), errors=(404,), body_example={"name": "Ada King"}
        ),
    )
    async def change(
        self,
        request: AnyRequest,
        service: ServiceParam,
        collection: CollectionName,
        person: PersonId,
        data: JSONBody[PersonChange],
    ) -> PersonAnswer:
        """Change a person's name, or replace the metadata."""
        gallery = service.engine.gallery(collection)
        shape = await service.run(request, lambda: _change(gallery, person, data))
        return PersonAnswer(request_id(request.scope), shape)

    @delete("/{person:str}", guards=[requires("enrol")], operation_class=operation(errors=(404,)))
    async def remove(
        self,
        request: AnyRequest,
        service: ServiceParam,
        collection: CollectionName,
        person: PersonId,
    ) -> None:
        """Delete a person with all faces and events."""
        gallery = service.engine.gallery(collection)
        await service.run(request, lambda: gallery.delete_person(person))


def photos_of(form: Form[PhotoFields] | Form[PersonFields]) -> list[Photo]:
    """Return the photos of a request, by their names."""
    given = form.pictures.get("images", ())
    return [
        Photo(picture.source, _name(picture.name, number)) for number, picture in enumerate(given)
    ]


def enrolled_answer(request: AnyRequest, done: Enrolment) -> EnrolledAnswer:
    """Return the answer to photos that were taken in."""
    taken, rejected = image_reports(done)
    person = person_shape(done.person)
    return EnrolledAnswer(request_id(request.scope), person, done.created, taken, rejected)


def _name(name: str, number: int) -> str:
    """Return a photo's own name, or its number where it has none."""
    return f"photo {number + 1}" if name in {"", "images"} else name


def _counted(gallery: Gallery, person_id: str) -> PersonShape:
    person = gallery.repo.person(gallery.name, person_id)
    return person_shape(person, len(gallery.faces(person_id)))


def _change(gallery: Gallery, person_id: str, data: PersonChange) -> PersonShape:
    changes = {
        field: value
        for field, value in msgspec.structs.asdict(data).items()
        if not isinstance(value, UnsetType)
    }
    with gallery.repo.transaction():
        person = gallery.repo.person(gallery.name, person_id)
        gallery.repo.update_person(gallery.name, attrs.evolve(person, **changes))
    return _counted(gallery, person_id)


def _delete_named(gallery: Gallery, name: str) -> list[Person]:
    persons = gallery.forgetter().everybody_called(gallery.name, name)
    if not persons:
        raise PersonNotFoundError(f"there is nobody called {name!r} in {gallery.name!r}")
    return persons
