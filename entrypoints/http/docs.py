"""The OpenAPI document and the page that shows it."""

from importlib.metadata import version

from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, License, Schema, SecurityScheme
from litestar.openapi.spec.enums import OpenAPIType

_ERROR = Schema(
    type=OpenAPIType.OBJECT,
    required=["error", "request_id"],
    properties={
        "error": Schema(
            type=OpenAPIType.OBJECT,
            required=["code", "message", "details"],
            properties={
                "code": Schema(type=OpenAPIType.STRING),
                "message": Schema(type=OpenAPIType.STRING),
                "details": Schema(type=OpenAPIType.OBJECT),
            },
        ),
        "request_id": Schema(type=OpenAPIType.STRING),
    },
)


def openapi_config() -> OpenAPIConfig:
    """Return how the document is made; it is served as ``/docs/openapi.json``."""
    return OpenAPIConfig(
        title="FaceCV",
        version=version("facecv"),
        summary="Face detection, recognition and galleries",
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        path="/docs",
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        use_handler_docstrings=True,
        components=Components(
            schemas={"ErrorAnswer": _ERROR},
            security_schemes={
                "bearer": SecurityScheme(type="http", scheme="bearer"),
                "api_key": SecurityScheme(
                    type="apiKey", name="X-API-Key", security_scheme_in="header"
                ),
            },
        ),
        security=[{"bearer": []}, {"api_key": []}, {}],
    )
