"""Figures for Prometheus: stages, batches, models and the queue, beside Litestar's own."""

import asyncio
from collections.abc import Collection, Iterator
from pathlib import Path

import attrs
from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from facecv.core.ports.meter import Stage
from facecv.core.services.metering import Meters, counted
from facecv.entrypoints.http.access import requires
from facecv.entrypoints.http.openapi import operation
from facecv.entrypoints.http.service import Service, ServiceParam
from facecv.entrypoints.http.worker_facts import ServerFacts, server_facts

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_FACES = (1, 2, 4, 8, 16, 32, 64)


class PrometheusMeter:
    """Counts the stages of the work in histograms of `registry`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "facecv_stage_seconds",
            "Seconds of one pass through a stage, waiting for shared runs included",
            ["stage", "model"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._faces = Histogram(
            "facecv_batch_faces",
            "Faces in one run of an embedder",
            ["model"],
            buckets=_FACES,
            registry=registry,
        )

    def observe(self, stage: Stage, seconds: float, items: int, model: str, /) -> None:  # noqa: ARG002 - of the port
        """Count one pass through a stage."""
        self._seconds.labels(stage, model).observe(seconds)

    def batch(self, model: str, size: int, /) -> None:
        """Count one run of a network."""
        self._faces.labels(model).observe(size)


@attrs.frozen(eq=False)
class FactsCollector(Collector):
    """Tells how the server stands.

    Attributes:
        facts: of all its workers.
    """

    facts: ServerFacts

    def collect(self) -> Iterator[Metric]:
        """Yield the queue, the jobs, the memory and the models."""
        work, active = self.facts.work, sum(each.job.active for each in self.facts.jobs())
        yield GaugeMetricFamily("facecv_workers", "Processes", len(self.facts.workers))
        yield GaugeMetricFamily("facecv_work_busy", "Pieces of work under way", work.busy)
        yield GaugeMetricFamily("facecv_queue_depth", "Pieces of work that wait", work.waiting)
        yield CounterMetricFamily(
            "facecv_rejected_requests", "Requests refused because the queue was full", work.refused
        )
        yield GaugeMetricFamily("facecv_jobs_active", "Jobs that run or wait", active)
        resident = self.facts.resident_bytes
        yield GaugeMetricFamily("facecv_resident_bytes", "Memory of all processes", resident)
        yield from self._models()

    def _models(self) -> Iterator[Metric]:
        names = ["kind", "model"]
        what = {
            "loaded": ("Processes that have the model in memory", lambda m: m.state == "ready"),
            "default": ("Processes whose default it is", lambda m: m.default),
            "users": ("How many use it now", lambda m: m.users),
            "bytes": ("Memory of the model", lambda m: m.memory.bytes if m.memory else 0),
        }
        keys = sorted({(each.kind, each.name) for each in self.facts.models})
        for name, (text, value) in what.items():
            family = GaugeMetricFamily(f"facecv_model_{name}", text, labels=names)
            for key in keys:
                own = (each for each in self.facts.models if (each.kind, each.name) == key)
                family.add_metric(key, float(sum(map(value, own))))
            yield family


@get(
    "/metrics",
    guards=[requires("read")],
    operation_class=operation(files=["text/plain"]),
    tags=["Performance"],
)
async def metrics(service: ServiceParam) -> Response[bytes]:
    """Give the figures of all workers of the server in the text format of Prometheus."""
    facts = await server_facts(service)
    text = await asyncio.to_thread(_text, service, facts)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


def observe(service: Service) -> None:
    """Measure the stages of a service's work from now on."""
    engine = service.engine
    meter = Meters((service.meter, PrometheusMeter(service.registry)))
    engine.analyser.meter = meter
    engine.analyser.embedder.wrap(lambda built: counted(built, meter))


def _text(service: Service, facts: ServerFacts) -> bytes:
    now = CollectorRegistry()
    now.register(FactsCollector(facts))
    group = service.workers.group
    if group is None:
        return b"".join(map(generate_latest, (REGISTRY, service.registry, now)))
    _bury({worker.pid for worker in facts.workers}, group.metrics)
    counted_by_all = CollectorRegistry()
    MultiProcessCollector(counted_by_all, str(group.metrics))  # type: ignore[no-untyped-call]
    return generate_latest(counted_by_all) + generate_latest(now)


def _bury(alive: Collection[int], folder: Path) -> None:
    """Forget what processes were doing that are gone; what they have done still counts."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        if pid not in alive:
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
