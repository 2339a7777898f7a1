"""The OpenAPI document and the page that shows it."""

from importlib.metadata import version
from importlib.resources import files
from typing import Any

from litestar import Request
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import Components, License, SecurityScheme


class PagePlugin(OpenAPIRenderPlugin):
    """Serves a page that shows the document and needs nothing from elsewhere."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Return the page; it fetches the document by itself."""
        del request, openapi_schema
        return files(__package__).joinpath("docs.html").read_bytes()


def openapi_config() -> OpenAPIConfig:
    """Return how the document is made; ``/docs`` shows it, ``/docs/openapi.json`` is it."""
    return OpenAPIConfig(
        title="FaceCV",
        version=version("facecv"),
        summary="Face detection, recognition and galleries",
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        path="/docs",
        render_plugins=[PagePlugin(path="/"), JsonRenderPlugin(path="/openapi.json")],
        use_handler_docstrings=True,
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(type="http", scheme="bearer"),
                "api_key": SecurityScheme(
                    type="apiKey", name="X-API-Key", security_scheme_in="header"
                ),
            },
        ),
        security=[{"bearer": []}, {"api_key": []}, {}],
    )
