"""Switching traces on, for those who have the packages."""

import importlib
from typing import Any

from litestar.plugins import InitPluginProtocol

from facecv.core.errors import RuntimeMissingError
from facecv.entrypoints.api import Engine
from facecv.entrypoints.server_config import OpenTelemetrySettings


def tracing_plugins(engine: Engine, settings: OpenTelemetrySettings) -> list[InitPluginProtocol]:
    """Return what an application needs to be traced; nothing where that is off.

    Raises:
        RuntimeMissingError: the extra ``otel`` is not installed.
    """
    if not settings.enabled:
        return []
    plugins: list[InitPluginProtocol] = tracing().plugins(engine, settings)
    return plugins


def check_tracing(settings: OpenTelemetrySettings) -> None:
    """Raise `RuntimeMissingError` where traces are switched on without their packages."""
    if settings.enabled:
        tracing()


def tracing() -> Any:  # noqa: ANN401 - a module that is imported when it is needed
    """Return the module that makes traces; raise `RuntimeMissingError` if it cannot be had."""
    try:
        return importlib.import_module("facecv.entrypoints.http.tracing")
    except ImportError as error:
        raise RuntimeMissingError(
            "server.opentelemetry is switched on, and OpenTelemetry is not installed",
            hint="pip install 'facecv[otel]'",
        ) from error
