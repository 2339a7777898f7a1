"""What runs here."""

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import attrs
import msgspec
from litestar import Controller, get

from facecv.core.errors import FaceCVError
from facecv.entrypoints.api import Engine
from facecv.entrypoints.http.access import requires
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.openapi import operation
from facecv.entrypoints.http.service import Service, ServiceParam
from facecv.entrypoints.http.worker_facts import ServerFacts, server_facts

_PACKAGES = ("facecv", "litestar", "numpy", "onnxruntime", "onnxruntime-gpu", "opencv-python")


class ModelBinding(msgspec.Struct):
    """A model and what runs it.

    Attributes:
        task: what it does here.
        model: its name; null where it cannot be found.
        loaded: whether it is in memory.
        providers: what really runs it.
        share: of the operators of its networks that these run, the least, 0..1; null: not known.
        error: why it cannot be had.
    """

    task: str
    model: str | None
    loaded: bool
    providers: list[str] = []
    share: float | None = None
    error: str | None = None


class GalleryCounts(msgspec.Struct):
    """How much is enrolled."""

    collections: int
    persons: int
    faces: int


class WorkCounts(msgspec.Struct):
    """The pool that runs the networks, or those of all workers together."""

    threads: int
    queue: int
    busy: int
    refused: int


class RecentError(msgspec.Struct):
    """A request that the server could not answer."""

    time: datetime
    code: str
    message: str
    request_id: str
    path: str


class WorkerState(msgspec.Struct):
    """A process of the server.

    Attributes:
        id: the digits with which the ids of its jobs begin.
        pid: of the process.
        state: `starting`, `ready` or `failed`.
        resident_bytes: memory of the process.
        problems: which changes of models it could not follow, and why.
    """

    id: str
    pid: int
    state: str
    resident_bytes: int
    problems: list[str] = []


class System(msgspec.Struct):
    """What runs here. Models and backend are those of the worker that answers.

    Attributes:
        versions: package to version.
        state: `starting`, `ready` or `failed`.
        pack: the model pack in use.
        backend: what runs the networks, with the devices it can use.
        models: which models are used for what.
        gallery: how much is enrolled; null if the gallery does not answer.
        limits: what a request may ask for.
        work: the pools that run the networks, all together.
        recent_errors: the last requests that failed here, newest first.
        workers: the processes of the server, the one that answers first.
    """

    versions: dict[str, str]
    state: str
    pack: str
    backend: dict[str, Any]
    models: list[ModelBinding]
    gallery: GalleryCounts | None
    limits: dict[str, Any]
    work: WorkCounts
    recent_errors: list[RecentError]
    workers: list[WorkerState]


_EXAMPLE = System(
    versions={"python": "3.11.7", "facecv": "0.1.0"},
    state="ready",
    pack="nano",
    backend={"name": "onnxruntime", "device": "auto", "providers": ["CPUExecutionProvider"]},
    models=[ModelBinding("detection", "det_nano", loaded=True, providers=["CPUExecutionProvider"])],
    gallery=GalleryCounts(1, 12, 40),
    limits={"images": 64, "seconds": 60.0},
    work=WorkCounts(8, 64, 0, 0),
    recent_errors=[
        RecentError(
            datetime(2026, 1, 1, tzinfo=UTC),
            "overloaded",
            "64 tasks are waiting already",
            "a1",
            "/v1/detect",
        )
    ],
    workers=[WorkerState("8f3a2b1c", 7002, "ready", 310_000_000)],
)


class SystemController(Controller):
    """Facts about the installation; no secrets."""

    path = "/system"
    tags = ("Health",)

    @get("/", guards=[requires("read")], operation_class=operation(_EXAMPLE))
    async def system(self, request: AnyRequest, service: ServiceParam) -> System:
        """Tell versions, devices, models, counts, limits and recent errors."""
        facts = await server_facts(service)
        return await service.run(request, lambda: _system(service, facts))


def _system(service: Service, facts: ServerFacts) -> System:
    engine, work = service.engine, facts.work
    return System(
        versions=_versions(),
        state=service.readiness.state,
        pack=engine.parts.pack.name,
        backend=_backend(engine),
        models=_models(engine),
        gallery=_counts(engine),
        limits=attrs.asdict(service.config.limits),
        work=WorkCounts(work.threads, work.queue, work.busy, work.refused),
        recent_errors=[
            RecentError(each.time, each.code, each.message, each.request_id, each.path)
            for each in facts.incidents()
        ],
        workers=[
            WorkerState(each.id, each.pid, each.state, each.resident_bytes, each.problems)
            for each in facts.workers
        ],
    )


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _backend(engine: Engine) -> dict[str, Any]:
    """Return what the backend says about itself; a backend need not say anything."""
    config = engine.config
    facts: dict[str, Any] = {"name": config.backend, "device": config.device}
    try:
        described: Mapping[str, Any] = getattr(engine.parts.backend.get(), "describe", dict)()
    except FaceCVError as error:
        return facts | {"problem": error.message}
    return facts | dict(described)


def _models(engine: Engine) -> list[ModelBinding]:
    analyser = engine.analyser
    slots: list[tuple[str, Any]] = [
        ("detection", analyser.detector),
        ("recognition", analyser.embedder),
        *(("attributes", slot) for slot in analyser.attribute_models.slots),
    ]
    return [_binding(task, slot) for task, slot in slots]


def _binding(task: str, slot: Any) -> ModelBinding:  # noqa: ANN401 - a slot of any kind
    try:
        loaded = slot.loaded
        providers = list(loaded.providers) if loaded else []
        share = loaded.share if loaded else None
        return ModelBinding(task, slot.blueprint.name, loaded is not None, providers, share)
    except FaceCVError as error:
        return ModelBinding(task, None, loaded=False, error=error.message)


def _counts(engine: Engine) -> GalleryCounts | None:
    try:
        repo = engine.parts.gallery.get()
        counts = [repo.count(each.name) for each in repo.collections()]
    except FaceCVError:
        return None
    return GalleryCounts(
        len(counts), sum(each.persons for each in counts), sum(each.faces for each in counts)
    )
