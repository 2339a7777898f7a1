"""The application, put together."""

from collections.abc import Callable, Sequence
from typing import Any

import structlog
from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.middleware.rate_limit import RateLimitConfig
from litestar.stores.file import FileStore
from litestar.types import ControllerRouterHandler, Middleware

from facecv.core.services.jobs import Jobs
from facecv.core.services.metering import RollingMeter
from facecv.core.services.model_desk import ModelDesk
from facecv.core.services.work import WorkPool
from facecv.entrypoints.api import Engine
from facecv.entrypoints.http.access import LOOPBACK, Access, key_of
from facecv.entrypoints.http.controllers.batch import BatchController
from facecv.entrypoints.http.controllers.collections import CollectionController
from facecv.entrypoints.http.controllers.enrolled import EnrolledFaceController
from facecv.entrypoints.http.controllers.events import EventController
from facecv.entrypoints.http.controllers.faces import FaceController
from facecv.entrypoints.http.controllers.health import HealthController
from facecv.entrypoints.http.controllers.jobs import JobController
from facecv.entrypoints.http.controllers.migrations import MigrationController
from facecv.entrypoints.http.controllers.models import ModelController
from facecv.entrypoints.http.controllers.performance import PerformanceController
from facecv.entrypoints.http.controllers.persons import PersonController
from facecv.entrypoints.http.controllers.search import SearchController
from facecv.entrypoints.http.controllers.sightings import SightingController
from facecv.entrypoints.http.controllers.streams import StreamController
from facecv.entrypoints.http.controllers.system import SystemController
from facecv.entrypoints.http.controllers.verify import VerifyController
from facecv.entrypoints.http.docs import openapi_config
from facecv.entrypoints.http.errors import HANDLERS, AnyRequest
from facecv.entrypoints.http.journal import Journal
from facecv.entrypoints.http.life import lifespan_of
from facecv.entrypoints.http.model_book import ModelBook
from facecv.entrypoints.http.model_sync import ModelSync
from facecv.entrypoints.http.observing import metrics, observe
from facecv.entrypoints.http.readiness import Readiness
from facecv.entrypoints.http.relay import Relay
from facecv.entrypoints.http.request_id import RequestIds
from facecv.entrypoints.http.request_metrics import request_metrics
from facecv.entrypoints.http.service import Service
from facecv.entrypoints.http.sharing import share_runs
from facecv.entrypoints.http.stream_desk import StreamDesk
from facecv.entrypoints.http.traced import tracing_plugins
from facecv.entrypoints.http.worker_group import WorkerGroup
from facecv.entrypoints.http.workers import Workers
from facecv.entrypoints.keys import KeyFile, default_keys_file
from facecv.entrypoints.server_config import LimitsConfig, ServerConfig

CONTROLLERS: tuple[ControllerRouterHandler, ...] = (
    HealthController,
    SystemController,
    FaceController,
    VerifyController,
    ModelController,
    JobController,
    BatchController,
    PerformanceController,
    MigrationController,
    CollectionController,
    PersonController,
    EnrolledFaceController,
    SearchController,
    StreamController,
    EventController,
    SightingController,
)
"""The routes under ``/v1``."""

RATES = "rate_limit"
"""The store that counts the requests of each key."""
_PARTS_BESIDE_PICTURES = 64


def create_app(
    engine: Engine,
    config: ServerConfig | None = None,
    abandon: Callable[[], None] | None = None,
    group: WorkerGroup | None = None,
) -> Litestar:
    """Return the application.

    Args:
        engine: what is served; it is closed when the application stops.
        config: the settings; None: those of the engine's configuration.
        abandon: called when the application has stopped and work still runs, which cannot be
            stopped from outside; None: nothing is.
        group: of the workers that serve together; None: there is only this one.
    """
    config = config or engine.config.server
    service = make_service(engine, config, group)
    share_runs(engine, config.batching)
    limits = service.config.limits
    app = Litestar(
        route_handlers=_routes(engine),
        exception_handlers=HANDLERS,
        dependencies={"service": Provide(lambda: service, sync_to_thread=False)},
        state=State({"service": service}),
        lifespan=[lifespan_of(service, abandon)],
        middleware=_middleware(limits),
        plugins=tracing_plugins(engine, config.opentelemetry),
        openapi_config=openapi_config() if service.config.docs else None,
        request_max_body_size=limits.body_bytes,
        multipart_form_part_limit=limits.images + _PARTS_BESIDE_PICTURES,
        logging_config=None,
        stores={RATES: FileStore(group.rates)} if group else None,
    )
    if group is not None:
        app.asgi_handler = Relay(app.asgi_handler, service.workers)
    app.asgi_handler = RequestIds(app.asgi_handler)  # around all of it: 404 and 405 too
    return app


def make_service(engine: Engine, config: ServerConfig, group: WorkerGroup | None = None) -> Service:
    """Return what the routes of an application work with."""
    keys = KeyFile(config.keys or default_keys_file())
    local = config.host in LOOPBACK and not config.insecure
    is_open = not keys.keys() and (local or config.insecure)
    jobs = Jobs()
    workers = Workers(jobs.boot, group)
    book = ModelBook(group.folder) if group else None
    service = Service(
        engine=engine,
        config=config,
        pool=WorkPool(config.threads, config.queue),
        access=Access(keys, is_open, local, group.folder / "keyed" if group else None),
        readiness=Readiness(engine),
        journal=Journal(),
        jobs=jobs,
        meter=RollingMeter(),
        streams=StreamDesk(engine, config, workers),
        workers=workers,
        models=ModelSync(ModelDesk(engine.analyser), workers.id, book),
    )
    observe(service)
    return service


def _routes(engine: Engine) -> Sequence[ControllerRouterHandler]:
    """Return our routes and those of plugins; a plugin that fails is reported and left out."""
    added: list[Any] = []
    catalogue = engine.parts.catalogue
    for failed in catalogue.call("facecv_http", routes=added, engine=engine):
        structlog.get_logger().error("plugin left out", plugin=str(failed), reason=failed.error)
    return [Router("/v1", route_handlers=CONTROLLERS), metrics, *added]


def _middleware(limits: LimitsConfig) -> list[Middleware]:
    counted = request_metrics().middleware
    if not limits.requests_per_minute:
        return [counted]
    rate = RateLimitConfig(
        rate_limit=("minute", limits.requests_per_minute),
        identifier_for_request=_who,
        store=RATES,
        exclude=["/v1/health", "/docs"],
    )
    return [counted, rate.middleware]


def _who(request: AnyRequest) -> str:
    """Return whose requests are counted together: those of a key, else those of an address."""
    key = key_of(request)
    if key is not None:
        return f"key {key.id}"
    return f"address {request.client.host if request.client else ''}"
