"""Collections: make, change, list, delete, export, import."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import IO, Annotated

import attrs
import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.response import Stream
from msgspec import UNSET, Meta, UnsetType

from facecv.core.errors import ImageTooLargeError, InputError
from facecv.core.gallery import Collection, Counts
from facecv.core.quality import GateName
from facecv.entrypoints.api import Engine
from facecv.entrypoints.http.access import check_collection, requires, visible
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.gallery_shapes import CollectionShape, MetadataFields, collection_shape
from facecv.entrypoints.http.openapi import operation
from facecv.entrypoints.http.packs import check_reference
from facecv.entrypoints.http.pages import Cursor, Limit, after, cursor_after
from facecv.entrypoints.http.request_id import request_id
from facecv.entrypoints.http.service import ServiceParam
from facecv.entrypoints.http.shapes import SpaceShape

Force = Annotated[bool, QueryParameter(description="Whether persons are deleted too.")]
LINES = "application/x-ndjson"
CollectionName = Annotated[str, PathParameter(description="Name of a collection.")]
_Cosine = Annotated[float, Meta(ge=-1, le=1)]
_Margin = Annotated[float, Meta(ge=0, le=2)]
_Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
_LINES_BODY = {
    "required": True,
    "content": {
        LINES: {
            "schema": {"type": "string", "description": "What an export answers."},
            "example": '{"type":"header","format":"facecv-gallery","version":1}\n…',
        }
    },
}


class NewCollection(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A collection to make; see `CollectionShape` for the fields.

    Attributes:
        embedder: the model whose embeddings it keeps, by reference; empty: the default.
    """

    name: _Name
    threshold: _Cosine | None = None
    margin: _Margin | None = None
    gate: GateName | None = None
    store_crops: bool = False
    metadata: MetadataFields = msgspec.field(default_factory=dict)
    embedder: Annotated[str, Meta(max_length=300)] = ""


class CollectionChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays, null takes a setting away."""

    threshold: _Cosine | UnsetType | None = UNSET
    margin: _Margin | UnsetType | None = UNSET
    gate: GateName | UnsetType | None = UNSET
    store_crops: bool | UnsetType = UNSET
    metadata: MetadataFields | UnsetType = UNSET


class CollectionAnswer(msgspec.Struct):
    """One collection."""

    request_id: str
    collection: CollectionShape


class CollectionPage(msgspec.Struct):
    """A page of collections, by name.

    Attributes:
        request_id: as in the header X-Request-Id.
        collections: those that the key may touch.
        next_cursor: of the next page; null on the last one.
    """

    request_id: str
    collections: list[CollectionShape]
    next_cursor: str | None


class Imported(msgspec.Struct):
    """How much was added."""

    request_id: str
    persons: int
    faces: int


EXAMPLE = CollectionShape(
    name="staff",
    space=SpaceShape("embed_nano", 256, "9f2b…", "arcface-112-rgb"),
    threshold=None,
    margin=None,
    gate="standard",
    store_crops=False,
    metadata={"site": "Oslo"},
    created=datetime(2026, 1, 5, 8, 30, tzinfo=UTC),
    persons=120,
    faces=310,
)
_ANSWER = CollectionAnswer("a1", EXAMPLE)


class CollectionController(Controller):
    """Named sets of persons; each keeps embeddings of one model."""

    path = "/collections"
    tags = ("Collections",)

    @post(
        "/",
        guards=[requires("admin")],
        operation_class=operation(
            _ANSWER, errors=(404, 409), body_example={"name": "staff", "gate": "standard"}
        ),
    )
    async def create(
        self, request: AnyRequest, service: ServiceParam, data: JSONBody[NewCollection]
    ) -> CollectionAnswer:
        """Make a collection for the embeddings of the default model, or of the one named."""
        check_collection(request, data.name)
        check_reference(service.engine, data.embedder)
        made = await service.run(request, lambda: _create(service.engine, data))
        return CollectionAnswer(request_id(request.scope), made)

    @get(
        "/",
        guards=[requires("read")],
        operation_class=operation(CollectionPage("a1", [EXAMPLE], None)),
    )
    async def collections(
        self, request: AnyRequest, service: ServiceParam, limit: Limit = 50, cursor: Cursor = ""
    ) -> CollectionPage:
        """List collections by name, a page at a time."""
        start, own = after(cursor), request_id(request.scope)

        def work() -> CollectionPage:
            seen = visible(request, service.engine.collections())
            rest = [each for each in seen if each.name > start]
            names = [each.name for each in rest[: limit + 1]]
            page = [_counted(service.engine, each) for each in rest[:limit]]
            return CollectionPage(own, page, cursor_after(names, limit))

        return await service.run(request, work)

    @get(
        "/{collection:str}",
        guards=[requires("read")],
        operation_class=operation(_ANSWER, errors=(404,)),
    )
    async def collection(
        self, request: AnyRequest, service: ServiceParam, collection: CollectionName
    ) -> CollectionAnswer:
        """Tell about a collection and how much is in it."""
        engine = service.engine
        shape = await service.run(
            request, lambda: _counted(engine, engine.gallery(collection).info())
        )
        return CollectionAnswer(request_id(request.scope), shape)

    @patch(
        "/{collection:str}",
        guards=[requires("admin")],
        operation_class=operation(_ANSWER, errors=(404,), body_example={"threshold": 0.42}),
    )
    async def change(
        self,
        request: AnyRequest,
        service: ServiceParam,
        collection: CollectionName,
        data: JSONBody[CollectionChange],
    ) -> CollectionAnswer:
        """Change settings or metadata; the embeddings stay as they are."""
        shape = await service.run(request, lambda: _change(service.engine, collection, data))
        return CollectionAnswer(request_id(request.scope), shape)

    @delete(
        "/{collection:str}",
        guards=[requires("admin")],
        operation_class=operation(errors=(404, 409)),
    )
    async def remove(
        self,
        request: AnyRequest,
        service: ServiceParam,
        collection: CollectionName,
        force: Force = False,
    ) -> None:
        """Delete a collection with its events; one with persons only with `force`."""
        forgetter = service.engine.gallery(collection).forgetter()
        await service.run(request, lambda: forgetter.collection(collection, only_empty=not force))

    @get(
        "/{collection:str}/export",
        guards=[requires("admin")],
        media_type=LINES,
        operation_class=operation(errors=(404,), files=[LINES]),
    )
    async def export(
        self, request: AnyRequest, service: ServiceParam, collection: CollectionName
    ) -> Stream:
        """Answer with everything in a collection as JSON Lines, embeddings and crops included.

        The last line counts what came; without it, the export was cut short.
        """
        gallery = service.engine.gallery(collection)
        lines = await service.run(request, gallery.export)
        return Stream(_ended(service.stream(request, lines)), media_type=LINES)

    @post(
        "/{collection:str}/import",
        status_code=200,
        guards=[requires("admin")],
        request_max_body_size=None,
        operation_class=operation(
            Imported("a1", 120, 310), errors=(409, 413, 415), body=_LINES_BODY
        ),
    )
    async def load(
        self, request: AnyRequest, service: ServiceParam, collection: CollectionName
    ) -> Imported:
        """Add what an export answered, all or nothing; the collection is made if it is new."""
        with tempfile.TemporaryFile("w+b") as file:
            await _keep(request, file, service.config.limits.import_bytes)
            gallery = service.engine.gallery(collection)
            counts = await service.run(request, lambda: gallery.load(_decoded(file)))
        return Imported(request_id(request.scope), counts.persons, counts.faces)


def _create(engine: Engine, data: NewCollection) -> CollectionShape:
    analyser = engine.analyser.using(embedder=data.embedder)
    with analyser.hold_embedder() as embedder:
        space = embedder.model.space
    made = Collection(
        data.name,
        space,
        threshold=data.threshold,
        margin=data.margin,
        gate=data.gate,
        store_crops=data.store_crops,
        metadata=data.metadata,
    )
    engine.gallery(data.name).repo.create_collection(made)
    return collection_shape(made, Counts(0, 0))


def _counted(engine: Engine, collection: Collection) -> CollectionShape:
    return collection_shape(collection, engine.gallery(collection.name).count())


def _change(engine: Engine, name: str, data: CollectionChange) -> CollectionShape:
    changes = {
        field: value
        for field, value in msgspec.structs.asdict(data).items()
        if not isinstance(value, UnsetType)
    }
    gallery = engine.gallery(name)
    with gallery.repo.transaction():
        changed = attrs.evolve(gallery.info(), **changes)
        gallery.repo.update_collection(changed)
    return _counted(engine, changed)


async def _ended(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    async for line in lines:
        yield line + "\n"


async def _keep(request: AnyRequest, file: IO[bytes], most: int) -> None:
    """Write the body of a request to a file; raise `ImageTooLargeError` if it is too long."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise ImageTooLargeError(f"more than {most} bytes", details={"limit": most})
        await asyncio.to_thread(file.write, chunk)
    file.seek(0)


def _decoded(file: IO[bytes]) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        try:
            yield line.decode()
        except UnicodeDecodeError as error:
            raise InputError(f"line {number} is not UTF-8", details={"line": number}) from error
