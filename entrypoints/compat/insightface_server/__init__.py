"""The plugin ``compat-insightface-server``: the routes of InsightFace Server 0.2 on our engine.

Off unless ``server.compat.insightface_server.enabled``. They are below a prefix, since our own
routes are below ``/v1`` too: give its clients the prefix as part of the server's address, such as
``http://localhost:7002/insightface``.
"""

from typing import Any

from facecv.plugins import hookimpl


@hookimpl
def facecv_http(routes: list[Any], engine: Any) -> None:  # noqa: ANN401 - as the hook is declared
    """Add the routes, where the configuration wants them."""
    settings = engine.config.server.compat.insightface_server
    if settings.enabled:
        from facecv.entrypoints.compat.insightface_server.routes import router  # noqa: PLC0415

        routes.append(router(settings.prefix))
