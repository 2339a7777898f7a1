"""Routes about the server."""

import asyncio
import platform
from importlib.metadata import version
from typing import Any

import attrs
from litestar import Response, get

from facecv.core.errors import FaceCVError
from facecv.entrypoints.api import Engine
from facecv.entrypoints.compat.insightface_server.shapes import Body, space_body, told
from facecv.entrypoints.http.access import requires
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.service import Service, ServiceParam


@get("/health")
async def health(request: AnyRequest, service: ServiceParam) -> Response[Body]:
    """Tell whether the models have run and the gallery answers; no key is needed."""
    status, code = "ready", 200
    try:
        await asyncio.to_thread(service.readiness.check)
    except FaceCVError:
        status, code = "not_ready", 503
    keyed = not service.access.open or bool(service.access.keys.keys())
    return Response(told(request, status=status, auth_enabled=keyed), status_code=code)


@get("/system", guards=[requires("read")])
async def system(request: AnyRequest, service: ServiceParam) -> Body:
    """Tell what runs here; no secrets."""
    return told(request, **await service.run(request, lambda: _system(service)))


@get("/models", guards=[requires("read")])
async def models(request: AnyRequest, service: ServiceParam) -> Body:
    """Tell which models find and recognise faces here."""
    return told(request, **await service.run(request, lambda: _models(service.engine)))


def _system(service: Service) -> Body:
    with service.engine.analyser.hold_embedder() as embedder:
        model, provider = space_body(embedder.model.space), _first(embedder.providers)
    return {
        "server_version": version("facecv"),
        "os": platform.platform(),
        "architecture": platform.machine(),
        "execution_provider": provider,
        "model": model,
        "safe_config": attrs.asdict(service.config.limits),
    }


def _models(engine: Engine) -> Body:
    analyser = engine.analyser
    with analyser.detector.use() as detector, analyser.hold_embedder() as embedder:
        found: list[tuple[str, Any]] = [("detection", detector), ("recognition", embedder)]
        listed = [
            {"name": each.name, "task": task, "provider": _first(each.providers)}
            for task, each in found
        ]
        provider = _first(embedder.providers)
    licence = {"name": engine.parts.pack.licence}
    return {"models": listed, "execution_provider": provider, "license": licence}


def _first(providers: tuple[str, ...]) -> str | None:
    return next(iter(providers), None)
