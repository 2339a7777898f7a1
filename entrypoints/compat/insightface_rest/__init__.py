"""The plugin ``compat-insightface-rest``: the routes of InsightFace-REST on our engine.

Off unless ``server.compat.insightface_rest.enabled``. Its clients then work as they are: point
them at our port, or set the port to theirs (18081).
"""

from typing import Any

from facecv.plugins import hookimpl


@hookimpl
def facecv_http(routes: list[Any], engine: Any) -> None:  # noqa: ANN401 - as the hook is declared
    """Add the routes, where the configuration wants them."""
    settings = engine.config.server.compat.insightface_rest
    if settings.enabled:
        from facecv.entrypoints.compat.insightface_rest.routes import router  # noqa: PLC0415

        routes.append(router(settings.prefix))
