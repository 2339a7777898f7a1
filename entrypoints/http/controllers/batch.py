"""The five batch operations: many pictures in one request, or in a zip file."""

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Annotated, Any, TypeVar

import attrs
import msgspec
from litestar import Controller, post
from msgspec import Meta

from facecv.core.errors import FaceNotFoundError, InputError
from facecv.core.gallery import Person
from facecv.core.image import Image
from facecv.core.services.analyse import Want
from facecv.core.services.find import FindOptions
from facecv.core.services.photos import Photo
from facecv.entrypoints.api import Engine
from facecv.entrypoints.http import batches, examples
from facecv.entrypoints.http.access import check_collection, requires
from facecv.entrypoints.http.archives import unpacked
from facecv.entrypoints.http.batches import Answer, BatchAnswer, BatchItem, Group, pairs, singles
from facecv.entrypoints.http.bodies import read_form
from facecv.entrypoints.http.controllers.faces import AnalyzeFields
from facecv.entrypoints.http.controllers.jobs import EXAMPLE as JOB
from facecv.entrypoints.http.controllers.persons import EXAMPLE as PERSON
from facecv.entrypoints.http.controllers.persons import PhotoFields
from facecv.entrypoints.http.controllers.search import SearchFields
from facecv.entrypoints.http.controllers.verify import VerifyOptions
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.finding import FindFields, LookFields
from facecv.entrypoints.http.gallery_shapes import (
    FoundShape,
    PersonShape,
    found_shape,
    person_shape,
)
from facecv.entrypoints.http.job_shapes import JobAnswer
from facecv.entrypoints.http.openapi import operation, picture_body
from facecv.entrypoints.http.service import Service, ServiceParam
from facecv.entrypoints.http.shapes import FaceShape, ImageShape, face_shape, image_shape

FieldsT = TypeVar("FieldsT", bound=FindFields)
LookT = TypeVar("LookT", "BatchDetectFields", "BatchAnalyzeFields")
Name = Annotated[str, Meta(min_length=1, max_length=100)]


class BatchDetectFields(LookFields, kw_only=True):
    """Which faces to find.

    Attributes:
        job: go on in the background; the answer is 202.
    """

    job: bool = False


class BatchAnalyzeFields(AnalyzeFields, kw_only=True):
    """What to find out about each face; `job`: go on in the background."""

    job: bool = False


class BatchVerifyFields(VerifyOptions, kw_only=True):
    """How to compare; `job`: go on in the background."""

    job: bool = False


class BatchEnrolFields(PhotoFields, kw_only=True):
    """Whom to enrol, one picture a person; several pictures of one name go to one person.

    Attributes:
        collection: where, an existing one.
        names: of the persons, one a picture; by default the folder, or else the stem, of its file.
        job: go on in the background.
    """

    collection: Name
    names: list[Annotated[str, Meta(min_length=1, max_length=200)]] = msgspec.field(
        default_factory=list
    )
    job: bool = False


class BatchSearchFields(SearchFields, kw_only=True):
    """Where and how to search; `job`: go on in the background."""

    collection: Name
    job: bool = False


class Looked(msgspec.Struct):
    """The faces of one picture."""

    image: ImageShape
    faces: list[FaceShape]


class Compared(msgspec.Struct):
    """Whether the largest faces of two pictures are of one person."""

    match: bool
    similarity: float
    threshold: float
    far: float | None


class Enrolled(msgspec.Struct):
    """What became of one photo."""

    person: PersonShape
    created: bool
    status: str
    face_id: str
    quality: float | None


class Found(msgspec.Struct):
    """Who the faces of one picture are."""

    image: ImageShape
    results: list[FoundShape]


def _described(kind: type[msgspec.Struct], example: msgspec.Struct, **fields: object) -> Any:  # noqa: ANN401 - a class
    item = BatchItem(0, "a.jpg", msgspec.Raw(msgspec.json.encode(example)))
    body = picture_body(kind, ["images"], dict(fields), many=["images"], raw=False)
    shown = msgspec.json.decode(msgspec.json.encode(BatchAnswer("a1", [item])))
    job = JobAnswer("a1", JOB)
    return operation(shown, errors=(404, 409, 413, 415), body=body, queries=kind, accepted=job)


class BatchController(Controller):
    """Many pictures at once: each has a result or an error of its own, and order is kept.

    Pictures come as several parts ``images``, as zip files among them, or as JSON. With ``Accept:
    application/x-ndjson`` the items come as lines, as they finish. ``?job=true``, or more pictures
    than a request may carry, makes it a job: 202.
    """

    path = "/batch"
    tags = ("Batch",)

    @post(
        "/detect",
        status_code=200,
        guards=[requires("read")],
        operation_class=_described(BatchDetectFields, Looked(examples.IMAGE, [examples.DETECTED])),
    )
    async def detect(self, request: AnyRequest, service: ServiceParam) -> Answer:
        """Find the faces of many pictures."""
        return await _looked(
            request, service, BatchDetectFields, lambda _: Want(embedding=False), "detect"
        )

    @post(
        "/analyze",
        status_code=200,
        guards=[requires("read")],
        operation_class=_described(BatchAnalyzeFields, Looked(examples.IMAGE, [examples.ANALYZED])),
    )
    async def analyze(self, request: AnyRequest, service: ServiceParam) -> Answer:
        """Tell everything about the faces of many pictures."""
        return await _looked(request, service, BatchAnalyzeFields, _want, "analyze")

    @post(
        "/verify",
        status_code=200,
        guards=[requires("read")],
        operation_class=_described(BatchVerifyFields, Compared(True, 0.71, 0.4, 1e-4)),
    )
    async def verify(self, request: AnyRequest, service: ServiceParam) -> Answer:
        """Compare pictures two by two: the first with the second, the third with the fourth."""
        fields, groups = await _read(request, service, BatchVerifyFields, by_two=True)
        engine, find = fields.engine(service.engine), _find(service, fields)

        def work(group: Group) -> Compared:
            one, other = (engine.read(each.source) for each in group)
            return _compared(engine, one, other, find, fields.threshold)

        return await batches.answer(request, service, "batch_verify", groups, work, job=fields.job)

    @post(
        "/enroll",
        status_code=200,
        guards=[requires("enrol")],
        operation_class=_described(
            BatchEnrolFields,
            Enrolled(PERSON, True, "enrolled", "5e2a", 0.83),
            collection="staff",
            names=["Ada"],
        ),
    )
    async def enroll(self, request: AnyRequest, service: ServiceParam) -> Answer:
        """Enrol many persons, one picture each; what is answered as enrolled is kept."""
        fields, groups = await _read(request, service, BatchEnrolFields)
        check_collection(request, fields.collection)
        if fields.names and len(fields.names) != len(groups):
            raise InputError(f"{len(fields.names)} names for {len(groups)} pictures")
        await service.run(request, lambda: service.engine.gallery(fields.collection).info())
        work = _enrolment(service, fields, groups)
        return await batches.answer(request, service, "batch_enroll", groups, work, job=fields.job)

    @post(
        "/search",
        status_code=200,
        guards=[requires("read")],
        operation_class=_described(
            BatchSearchFields, Found(examples.IMAGE, []), collection="staff", top_k=3
        ),
    )
    async def search(self, request: AnyRequest, service: ServiceParam) -> Answer:
        """Tell who the faces of many pictures are."""
        fields, groups = await _read(request, service, BatchSearchFields)
        check_collection(request, fields.collection)
        gallery = service.engine.gallery(fields.collection)
        await service.run(request, gallery.info)
        which = fields.which(service.engine.config.recognition.top_k)
        find = fields.faces_of(_find(service, fields))

        def work(group: Group) -> Found:
            image = service.engine.read(group[0].source)
            found = gallery.identify(image, which, find)
            shapes = [
                found_shape(
                    each.identification,
                    face_shape(attrs.evolve(each.face, embedding=None), image),
                )
                for each in found
            ]
            return Found(image_shape(image), shapes)

        return await batches.answer(request, service, "batch_search", groups, work, job=fields.job)


async def _read(
    request: AnyRequest, service: Service, kind: type[FieldsT], *, by_two: bool = False
) -> tuple[FieldsT, Sequence[Any]]:
    """Return the fields of a batch, and its pictures in groups."""
    form = await read_form(request, kind, ["images"], service.config)
    given, limits = form.pictures.get("images", ()), service.config.limits
    items = await service.run(request, lambda: unpacked(given, limits))
    if not items:
        raise InputError("there is no picture in the field 'images'")
    if by_two and len(items) % 2:
        raise InputError(f"{len(items)} pictures are no pairs")
    return form.fields, pairs(items) if by_two else singles(items)


async def _looked(
    request: AnyRequest,
    service: Service,
    kind: type[LookT],
    want: Callable[[LookT], Want],
    name: str,
) -> Answer:
    fields, groups = await _read(request, service, kind)
    engine, find, wanted = fields.engine(service.engine), _find(service, fields), want(fields)

    def work(group: Group) -> Looked:
        image = engine.read(group[0].source)
        faces = engine.analyze(image, wanted, find)
        return Looked(image_shape(image), [face_shape(face, image) for face in faces])

    return await batches.answer(request, service, f"batch_{name}", groups, work, job=fields.job)


def _find(service: Service, fields: FindFields) -> FindOptions:
    return fields.options(service.engine.analyser.find, service.config.limits)


def _want(fields: AnalyzeFields) -> Want:
    names = None if fields.attributes is None else frozenset(fields.attributes)
    return Want(quality=fields.quality, embedding=fields.embedding, attributes=names)


def _compared(
    engine: Engine, one: Image, other: Image, find: FindOptions, threshold: float | None
) -> Compared:
    answer = engine.verify(one, other, find=find, threshold=threshold)
    if answer.similarity is None:
        missing = list(answer.missing)
        raise FaceNotFoundError("there is no face in a picture", details={"missing": missing})
    return Compared(answer.match, round(answer.similarity, 6), answer.threshold, answer.far)


def _enrolment(
    service: Service, fields: BatchEnrolFields, groups: Sequence[Any]
) -> Callable[[Group], Enrolled]:
    """Return what enrols one picture."""
    gallery, find = service.engine.gallery(fields.collection), _find(service, fields)
    options = attrs.evolve(fields.enrolment(service), skip_bad=False)
    names = {id(group): name for group, name in zip(groups, fields.names, strict=False)}

    def work(group: Group) -> Enrolled:
        picture = group[0]
        draft = Person(names.get(id(group)) or _person_name(picture.name))
        photo = Photo(picture.source, picture.name)
        done = gallery.enroller().enrol(fields.collection, draft, [photo], options, find)
        result = done.photos[0]
        person = person_shape(done.person)
        return Enrolled(person, done.created, result.status, result.face_id, result.quality)

    return work


def _person_name(file: str) -> str:
    """Return whom a file shows: its folder's name, or else its stem."""
    path = PurePosixPath(file)
    return path.parent.name or path.stem
