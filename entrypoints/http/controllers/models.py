"""Models and packs: what is here, what is loaded, pulling, switching."""

from typing import Annotated, Literal

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from facecv.core.services.model_desk import Kind, ModelDesk
from facecv.entrypoints.http.access import requires, visible
from facecv.entrypoints.http.controllers.jobs import EXAMPLE as JOB
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.job_shapes import JobAnswer
from facecv.entrypoints.http.jobs import begin, check_unrestricted
from facecv.entrypoints.http.model_book import ModelChange
from facecv.entrypoints.http.model_shapes import (
    FileShape,
    LoadedShape,
    MemoryShape,
    PackModelShape,
    PackShape,
    loaded_shape,
    pack_shape,
)
from facecv.entrypoints.http.openapi import operation
from facecv.entrypoints.http.packs import check_reference, known_packs, pull, remove, verify
from facecv.entrypoints.http.request_id import request_id
from facecv.entrypoints.http.service import Service, ServiceParam
from facecv.entrypoints.http.worker_facts import server_facts

PackName = Annotated[str, PathParameter(description="Name of a pack.")]
Reference = Annotated[str, Meta(max_length=300)]


class ModelChoice(msgspec.Struct, forbid_unknown_fields=True):
    """Which model is meant.

    Attributes:
        kind: its task.
        model: its name, or `PACK/MODEL`; empty: the default of that task.
        wait: whether to answer when it is there; otherwise at once, and its state tells.
    """

    kind: Kind
    model: Reference = ""
    wait: bool = True


class Switch(msgspec.Struct, forbid_unknown_fields=True):
    """Which model becomes the default of its task.

    Attributes:
        kind: the task.
        model: its name, or `PACK/MODEL`.
        keep: whether the old one stays in memory.
    """

    kind: Literal["detection", "recognition"]
    model: Annotated[str, Meta(min_length=1, max_length=300)]
    keep: bool = False


class ModelAnswer(msgspec.Struct):
    """One model."""

    request_id: str
    model: LoadedShape


class ModelList(msgspec.Struct):
    """All models.

    Attributes:
        request_id: as in the header X-Request-Id.
        loaded: the models that were asked for since the start, the defaults first of their task.
        packs: the packs that are known, the one in use first.
    """

    request_id: str
    loaded: list[LoadedShape]
    packs: list[PackShape]


class PackFiles(msgspec.Struct):
    """The files of a pack, each read and compared with its digest."""

    request_id: str
    pack: str
    files: list[FileShape]


class Removal(msgspec.Struct):
    """A pack that was deleted from this machine."""

    request_id: str
    pack: str
    freed_bytes: int


_LOADED = LoadedShape(
    kind="recognition",
    name="w600k_mbf",
    pack="buffalo_s",
    sha256="9cc6e4a7…",
    state="ready",
    default=True,
    providers=["CPUExecutionProvider"],
    share=1.0,
    memory=MemoryShape(41_000_000, "resident"),
    collections=["staff"],
)
_PACK = PackShape(
    name="buffalo_s",
    summary="SCRFD-500MF and MobileFaceNet",
    licence="non-commercial research only",
    licence_url="https://example.org/licence",
    in_use=True,
    embedded=False,
    models=[
        PackModelShape(
            "w600k_mbf",
            "recognition",
            "arcface",
            13_616_099,
            "9cc6e4a7…",
            "non-commercial research only",
            installed=True,
            state="ready",
            default=True,
        )
    ],
)
_ANSWER = ModelAnswer("a1", _LOADED)


class ModelController(Controller):
    """Which networks there are, and which do the work. Changing that needs an admin key."""

    path = "/models"
    tags = ("Models",)

    @get(
        "/",
        guards=[requires("read")],
        operation_class=operation(ModelList("a1", [_LOADED], [_PACK])),
    )
    async def models(self, request: AnyRequest, service: ServiceParam) -> ModelList:
        """List packs and models: installed, loaded, default, licence, size, digest, memory."""
        return await service.run(request, lambda: _list(request, service))

    @post(
        "/load",
        status_code=200,
        guards=[requires("admin")],
        operation_class=operation(
            _ANSWER, errors=(404, 409), body_example=ModelChoice("recognition", "w600k_mbf")
        ),
    )
    async def load(
        self, request: AnyRequest, service: ServiceParam, data: JSONBody[ModelChoice]
    ) -> ModelAnswer:
        """Load a model beside the others and run it once, so that its first request is fast.

        Other workers of the server begin to load it within a second; likewise for the next two.
        """
        check_reference(service.engine, data.model)
        change = ModelChange(action="load", kind=data.kind, model=data.model, wait=data.wait)
        return await _changed(request, service, change)

    @post(
        "/unload",
        status_code=200,
        guards=[requires("admin")],
        operation_class=operation(
            _ANSWER, errors=(404,), body_example=ModelChoice("recognition", "w600k_mbf")
        ),
    )
    async def unload(
        self, request: AnyRequest, service: ServiceParam, data: JSONBody[ModelChoice]
    ) -> ModelAnswer:
        """Take a model out of memory when its last user is done; it comes back when needed."""
        check_reference(service.engine, data.model)
        change = ModelChange(action="unload", kind=data.kind, model=data.model)
        return await _changed(request, service, change)

    @post(
        "/switch",
        status_code=200,
        guards=[requires("admin")],
        operation_class=operation(
            _ANSWER, errors=(404, 409), body_example=Switch("recognition", "buffalo_l/w600k_r50")
        ),
    )
    async def switch(
        self, request: AnyRequest, service: ServiceParam, data: JSONBody[Switch]
    ) -> ModelAnswer:
        """Make another model the default once it is loaded and warm; nobody waits or is refused.

        Work in flight finishes on the old one. One that fails leaves the old one serving.
        Collections keep the embedder of their space until they are migrated.
        """
        check_reference(service.engine, data.model)
        change = ModelChange(action="switch", kind=data.kind, model=data.model, keep=data.keep)
        return await _changed(request, service, change)

    @post(
        "/packs/{pack:str}/pull",
        status_code=202,
        guards=[requires("admin")],
        operation_class=operation(JobAnswer("a1", JOB), errors=(404,)),
    )
    async def pull(
        self, request: AnyRequest, service: ServiceParam, pack: PackName
    ) -> Response[JobAnswer]:
        """Download what is missing of a pack, as a job; its result names the models."""
        check_unrestricted(request)
        manifest = service.engine.parts.packs.pack(pack)
        return begin(request, service, "pull", lambda tell: pull(service, manifest, tell))

    @post(
        "/packs/{pack:str}/verify",
        status_code=200,
        guards=[requires("read")],
        operation_class=operation(
            PackFiles("a1", "buffalo_s", [FileShape("w600k_mbf", "ok", "")]), errors=(404,)
        ),
    )
    async def verify(self, request: AnyRequest, service: ServiceParam, pack: PackName) -> PackFiles:
        """Read every file of a pack and compare it with its digest."""
        own, engine = request_id(request.scope), service.engine
        manifest = engine.parts.packs.pack(pack)
        files = await service.run(request, lambda: verify(engine, manifest))
        return PackFiles(own, pack, files)

    @delete(
        "/packs/{pack:str}",
        status_code=200,
        guards=[requires("admin")],
        operation_class=operation(Removal("a1", "buffalo_s", 16_000_000), errors=(404, 409)),
    )
    async def remove(self, request: AnyRequest, service: ServiceParam, pack: PackName) -> Removal:
        """Delete the files of a pack; one whose models are loaded or the defaults stays: 409."""
        check_unrestricted(request)
        manifest = service.engine.parts.packs.pack(pack)
        facts = await server_facts(service)
        freed = await service.run(request, lambda: remove(service, manifest, facts))
        return Removal(request_id(request.scope), pack, freed)


async def _changed(request: AnyRequest, service: Service, change: ModelChange) -> ModelAnswer:
    """Return the answer to a request that changes which models are loaded."""
    check_unrestricted(request)
    own = request_id(request.scope)

    def work() -> ModelAnswer:
        place = service.models.change(change)
        return ModelAnswer(own, loaded_shape(place, service.engine.collections()))

    return await service.run(request, work)


def _list(request: AnyRequest, service: Service) -> ModelList:
    engine = service.engine
    places = ModelDesk(engine.analyser).places()
    collections = visible(request, engine.collections())
    return ModelList(
        request_id(request.scope),
        [loaded_shape(place, collections) for place in places],
        [pack_shape(engine, pack, places) for pack in known_packs(engine)],
    )
