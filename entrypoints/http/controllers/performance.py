"""How fast the last minutes were."""

import asyncio

import msgspec
from litestar import Controller, get

from facecv.core.services.figures import BatchReport, Figures, StageReport
from facecv.entrypoints.http.access import requires
from facecv.entrypoints.http.controllers.system import WorkCounts
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.model_shapes import MemoryShape
from facecv.entrypoints.http.openapi import operation
from facecv.entrypoints.http.request_id import request_id
from facecv.entrypoints.http.service import ServiceParam
from facecv.entrypoints.http.worker_facts import ServerFacts, server_facts


class StageShape(msgspec.Struct):
    """What one stage did.

    Attributes:
        count: passes.
        items: pictures (decode, detect), faces (align, embed, attributes) or probes (search).
        per_second: items in a second.
        p50_ms: median of a pass, milliseconds, waiting for shared runs included.
        p95_ms: 95 % of passes took at most so long.
        p99_ms: 99 % of passes took at most so long.
    """

    count: int
    items: int
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


class BatchShape(msgspec.Struct):
    """The runs of a network: how many, and faces in one on average and at most."""

    runs: int
    mean_faces: float
    most_faces: int


class ModelReport(msgspec.Struct):
    """What one model did.

    Attributes:
        name: its name.
        stages: by stage.
        batches: its runs, for embedders.
        memory: how much it takes; null while it is not in memory.
    """

    name: str
    stages: dict[str, StageShape]
    batches: BatchShape | None = None
    memory: MemoryShape | None = None


class Performance(msgspec.Struct):
    """The last minutes of the server, all its processes together.

    Attributes:
        request_id: as in the header X-Request-Id.
        window_seconds: how far back is looked.
        workers: how many processes there are.
        resident_bytes: memory of all of them.
        stages: by stage, whatever the model.
        models: by model.
        work: the pools that run the networks.
    """

    request_id: str
    window_seconds: float
    workers: int
    resident_bytes: int
    stages: dict[str, StageShape]
    models: list[ModelReport]
    work: WorkCounts


_STAGE = StageShape(1200, 1450, 4.83, 9.1, 14.2, 21.7)
_EXAMPLE = Performance(
    request_id="a1",
    window_seconds=300.0,
    workers=1,
    resident_bytes=310_000_000,
    stages={"detect": _STAGE, "embed": _STAGE},
    models=[
        ModelReport(
            "embed_nano",
            {"embed": _STAGE},
            BatchShape(400, 3.6, 16),
            MemoryShape(9_000_000, "resident"),
        )
    ],
    work=WorkCounts(8, 64, 2, 0),
)


class PerformanceController(Controller):
    """Throughput and times by stage and by model."""

    path = "/performance"
    tags = ("Performance",)

    @get("/", guards=[requires("read")], operation_class=operation(_EXAMPLE))
    async def performance(self, request: AnyRequest, service: ServiceParam) -> Performance:
        """Tell throughput, p50, p95 and p99 of each stage over the last minutes, and memory."""
        facts = await server_facts(service)
        return await asyncio.to_thread(_performance, facts, request_id(request.scope))


def _performance(facts: ServerFacts, own: str) -> Performance:
    work, figures = facts.work, facts.figures
    return Performance(
        request_id=own,
        window_seconds=facts.workers[0].figures.window,
        workers=len(facts.workers),
        resident_bytes=facts.resident_bytes,
        stages={name: _stage(report) for name, report in figures.stages().items()},
        models=_models(facts, figures),
        work=WorkCounts(work.threads, work.queue, work.busy, work.refused),
    )


def _models(facts: ServerFacts, figures: Figures) -> list[ModelReport]:
    reports: dict[str, ModelReport] = {}
    for (name, stage), report in figures.models().items():
        reports.setdefault(name, ModelReport(name, {})).stages[stage] = _stage(report)
    for name, batches in figures.batches().items():
        reports.setdefault(name, ModelReport(name, {})).batches = _batches(batches)
    for model in facts.models:
        if model.memory is not None:
            own = reports.setdefault(model.name, ModelReport(model.name, {}))
            before = own.memory.bytes if own.memory else 0
            own.memory = MemoryShape(before + model.memory.bytes, model.memory.measured)
    return sorted(reports.values(), key=lambda report: report.name)


def _stage(report: StageReport) -> StageShape:
    times = (round(seconds * 1000, 3) for seconds in (report.p50, report.p95, report.p99))
    return StageShape(report.count, report.items, round(report.per_second, 3), *times)


def _batches(report: BatchReport) -> BatchShape:
    return BatchShape(report.runs, round(report.mean, 2), report.largest)
