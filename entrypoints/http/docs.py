"""The OpenAPI document and the page that shows it."""

from collections.abc import Iterator
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import msgspec
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


class DocumentPlugin(JsonRenderPlugin):
    """Serves the document."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Return the document, which says where unknown fields are refused."""
        strict = {kind.__name__ for kind in _strict(msgspec.Struct)}
        for name, schema in openapi_schema["components"]["schemas"].items():
            if name in strict:
                schema["additionalProperties"] = False
        return super().render(request, openapi_schema)


def _strict(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    """Yield all structs that refuse unknown fields; the framework does not tell them apart."""
    for child in kind.__subclasses__():
        if child.__struct_config__.forbid_unknown_fields:
            yield child
        yield from _strict(child)


def openapi_config() -> OpenAPIConfig:
    """Return how the document is made; ``/docs`` shows it, ``/docs/openapi.json`` is it."""
    return OpenAPIConfig(
        title="FaceCV",
        version=version("facecv"),
        summary="Face detection, recognition and galleries",
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        path="/docs",
        render_plugins=[PagePlugin(path="/"), DocumentPlugin(path="/openapi.json")],
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
