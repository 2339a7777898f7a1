"""Figures for Prometheus: stages, batches, models and the queue, beside Litestar's own."""

import asyncio
from collections.abc import Iterator

from litestar import Response, get
from litestar.plugins.prometheus import PrometheusConfig
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from facecv.core.ports.meter import Stage
from facecv.core.services.metering import Meters, counted
from facecv.core.services.model_desk import ModelDesk
from facecv.core.services.process_memory import resident_bytes
from facecv.entrypoints.http.access import requires
from facecv.entrypoints.http.openapi import operation
from facecv.entrypoints.http.service import Service, ServiceParam

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


class ServiceCollector(Collector):
    """Tells how the service stands, whenever it is asked."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """Yield the queue, the jobs, the memory and the models."""
        pool = self._service.pool
        yield GaugeMetricFamily("facecv_work_busy", "Pieces of work under way", pool.busy)
        yield GaugeMetricFamily("facecv_queue_depth", "Pieces of work that wait", pool.waiting)
        yield CounterMetricFamily(
            "facecv_rejected_requests", "Requests refused because the queue was full", pool.refused
        )
        yield GaugeMetricFamily(
            "facecv_jobs_active",
            "Jobs that run or wait",
            sum(not job.over for job in self._service.jobs.all()),
        )
        yield GaugeMetricFamily("facecv_resident_bytes", "Memory of the process", resident_bytes())
        yield from self._models()

    def _models(self) -> Iterator[Metric]:
        names = ["kind", "model"]
        loaded = GaugeMetricFamily("facecv_model_loaded", "1: the model is in memory", labels=names)
        default = GaugeMetricFamily("facecv_model_default", "1: it is a default", labels=names)
        users = GaugeMetricFamily("facecv_model_users", "How many use it now", labels=names)
        memory = GaugeMetricFamily("facecv_model_bytes", "Memory of the model", labels=names)
        for place in ModelDesk(self._service.engine.analyser).places():
            labels, model = [place.kind, place.slot.blueprint.name], place.slot.loaded
            loaded.add_metric(labels, float(model is not None))
            default.add_metric(labels, float(place.default))
            users.add_metric(labels, model.users if model else 0)
            memory.add_metric(labels, model.footprint.bytes if model else 0)
        yield from (loaded, default, users, memory)


def request_metrics() -> PrometheusConfig:
    """Return how Litestar counts requests."""
    return PrometheusConfig(app_name="facecv", prefix="facecv", group_path=True)


@get(
    "/metrics",
    guards=[requires("read")],
    operation_class=operation(files=["text/plain"]),
    tags=["Performance"],
)
async def metrics(service: ServiceParam) -> Response[bytes]:
    """Give the figures of this process in the text format of Prometheus."""
    ours = await asyncio.to_thread(generate_latest, service.registry)
    return Response(generate_latest(REGISTRY) + ours, media_type=CONTENT_TYPE_LATEST)


def observe(service: Service) -> None:
    """Measure the stages of a service's work from now on."""
    engine = service.engine
    meter = Meters((service.meter, PrometheusMeter(service.registry)))
    service.registry.register(ServiceCollector(service))
    engine.analyser.meter = meter
    engine.analyser.embedder.wrap(lambda built: counted(built, meter))
