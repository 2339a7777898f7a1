"""Traces by OpenTelemetry: a span for each request, and one for each stage of its work.

Needs the extra ``otel``; only `facecv.entrypoints.http.traced` imports this.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from litestar import Litestar
from litestar.config.app import AppConfig
from litestar.plugins import InitPluginProtocol
from litestar.plugins.opentelemetry import OpenTelemetryConfig, OpenTelemetryPlugin
from litestar.types import ASGIApp, Receive, Scope, Send
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, Tracer

from facecv.core.ports.meter import Stage
from facecv.core.services.metering import Meters
from facecv.entrypoints.api import Engine
from facecv.entrypoints.http.request_id import request_id
from facecv.entrypoints.server_config import OpenTelemetrySettings

_EXPORT_SECONDS = 5.0
"""That sending spans may take: a collector that is away must not hold up the end of the server."""
_UNTRACED = ["^/v1/health", "^/metrics", "^/docs"]
_QUERIES = ("http.url", "url.full", "url.query")


class SpanMeter:
    """Makes a span of each stage of a request's work."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def observe(self, stage: Stage, seconds: float, items: int, model: str, /) -> None:
        """Add a span to the request that is traced here, if one is."""
        if not trace.get_current_span().is_recording():
            return
        end = time.time_ns()
        facts = {"facecv.items": items} | ({"facecv.model": model} if model else {})
        span = self._tracer.start_span(stage, attributes=facts, start_time=end - int(seconds * 1e9))
        span.end(end)

    def batch(self, model: str, size: int, /) -> None:
        """Do nothing: a run of a network may be of several requests."""


class StageSpans(InitPluginProtocol):
    """Gives spans the names of routes, and the stages as children; sends the last ones."""

    def __init__(self, engine: Engine, provider: TracerProvider) -> None:
        self._engine, self._provider = engine, provider

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Add what is needed to an application."""
        analyser = self._engine.analyser
        spans = SpanMeter(self._provider.get_tracer("facecv", version("facecv")))
        analyser.meter = Meters((analyser.meter, spans))
        app_config.middleware = [named, *app_config.middleware]
        app_config.lifespan = [self._flushed, *app_config.lifespan]
        return app_config

    @asynccontextmanager
    async def _flushed(self, _: Litestar) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(self._provider.shutdown)


def plugins(engine: Engine, settings: OpenTelemetrySettings) -> list[InitPluginProtocol]:
    """Return the plugins of an application that is traced; its meter must be in place."""
    about = {"service.name": settings.service_name, "service.version": version("facecv")}
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=settings.endpoint or None, timeout=_EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    config = OpenTelemetryConfig(
        tracer_provider=provider,
        server_request_hook_handler=_described,
        exclude=_UNTRACED,
        exclude_spans=["receive", "send"],
    )
    return [OpenTelemetryPlugin(config), StageSpans(engine, provider)]


def named(app: ASGIApp) -> ASGIApp:
    """Return an application that names the span of a request after its route, not its path."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        route = scope["path_template"]
        span = trace.get_current_span()
        span.update_name(f"{scope.get('method', 'WS')} {route}")
        span.set_attribute("http.route", route)
        await app(scope, receive, send)

    return serve


def _described(span: Span, scope: dict[str, Any]) -> None:
    """Give a span the request's id, and take the query out of it, which may hold names."""
    if scope["type"] == "http":
        span.set_attribute("facecv.request_id", request_id(scope))  # type: ignore[arg-type]
    known = getattr(span, "attributes", None) or {}
    for key in known.keys() & set(_QUERIES):
        value = str(known[key]).partition("?")[0]
        span.set_attribute(key, "" if key == "url.query" else value)
