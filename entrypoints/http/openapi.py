"""Describing routes in the OpenAPI document: bodies with pictures, examples, errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec
from litestar.openapi.spec import Operation

from facecv.entrypoints.http.bodies import JSON, MULTIPART, RAW

ERRORS: Mapping[int, str] = {
    400: "The request cannot be read.",
    401: "A key is needed, or the one that came is not valid.",
    403: "The key does not allow this.",
    404: "There is no such thing.",
    409: "It contradicts what is there.",
    410: "It was, and is no more.",
    413: "Too large.",
    415: "A body of this type is not taken.",
    422: "Something in the request cannot be used.",
    429: "Too many requests; Retry-After says when.",
    503: "Not now; Retry-After says when.",
}
_ALWAYS = (400, 401, 403, 422, 429, 503)
_EXAMPLE_ID = "5f0c7f5e-9d3b-4c58-9f57-6c3c1f4f6a10"
_IMAGE_EXAMPLE = "/9j/4AAQSkZJRgABAQ…"


class _Described(Operation):
    """An operation whose document is completed by hand."""

    example: ClassVar[Any] = None
    errors: ClassVar[tuple[int, ...]] = ()
    body: ClassVar[Mapping[str, Any] | None] = None
    body_example: ClassVar[Any] = None
    queries: ClassVar[Sequence[Mapping[str, Any]]] = ()
    files: ClassVar[Sequence[str]] = ()
    accepted: ClassVar[Any] = None

    def to_schema(self) -> dict[str, Any]:
        """Return the operation as the document has it."""
        schema = super().to_schema()
        # The framework makes the summary of the function's name.
        schema["summary"] = schema["description"].partition("\n\n")[0].rstrip(".")
        answers = schema.setdefault("responses", {})
        answers.pop("400", None)  # what the framework says about it is not how it looks here
        _complete_success(answers, self.example, self.files)
        if self.accepted is not None:
            answers["202"] = _answer("It goes on as a job.", "JobAnswer", self.accepted)
        answers |= {str(status): _error(status) for status in (*_ALWAYS, *self.errors)}
        if self.body is not None:
            schema["requestBody"] = dict(self.body)
        elif self.body_example is not None:
            schema["requestBody"]["content"][JSON]["example"] = self.body_example
        if self.queries:
            schema["parameters"] = [*schema.get("parameters", []), *map(dict, self.queries)]
        return schema


def operation(
    example: object = None,
    *,
    errors: Sequence[int] = (),
    body: Mapping[str, Any] | None = None,
    body_example: object = None,
    queries: type[msgspec.Struct] | None = None,
    files: Sequence[str] = (),
    accepted: object = None,
) -> type[Operation]:
    """Return the ``operation_class`` of a route.

    Args:
        example: of the answer, as JSON has it.
        errors: statuses beside 400, 401, 403, 422, 429 and 503, which every route may answer.
        body: the request's body, such as `picture_body` returns; None: as the route declares it.
        body_example: of a JSON body that the route declares as ``data``.
        queries: options that are taken from the query without being parameters of the function.
        files: media types of the answer where it is a file.
        accepted: example of the `JobAnswer` with which the route may answer 202 instead.
    """
    values = {
        "example": msgspec.to_builtins(example),
        "errors": tuple(errors),
        "body": body,
        "body_example": msgspec.to_builtins(body_example),
        "queries": () if queries is None else query_parameters(queries),
        "files": tuple(files),
        "accepted": msgspec.to_builtins(accepted),
    }
    return dataclass(type("DescribedOperation", (_Described,), values))


def picture_body(
    kind: type[msgspec.Struct],
    pictures: Sequence[str],
    example: Mapping[str, Any] | None = None,
    *,
    many: Sequence[str] = (),
    raw: bool = True,
) -> dict[str, Any]:
    """Return the body of a request that carries pictures, as `read_form` reads it.

    Args:
        kind: the fields beside the pictures.
        pictures: the fields with pictures, all required.
        example: of the other fields.
        many: which of `pictures` take several.
        raw: whether the bare picture is taken as a body too.
    """
    fields = _properties(kind)
    as_text = {"type": "string", "description": "base64, a data URI, or a URL where allowed"}
    as_file = {"type": "string", "format": "binary"}
    given = dict(example or {})
    texts = {name: [_IMAGE_EXAMPLE] if name in many else _IMAGE_EXAMPLE for name in pictures}
    content: dict[str, Any] = {
        MULTIPART: {"schema": _object(fields, pictures, as_file, many)},
        JSON: {
            "schema": _object(_properties(kind, null=True), pictures, as_text, many),
            "example": texts | given,
        },
    }
    if raw:
        content |= {media: {"schema": as_file} for media in RAW}
    return {"required": True, "content": content}


def query_parameters(kind: type[msgspec.Struct]) -> list[dict[str, Any]]:
    """Return the fields of a struct as parameters in the query."""
    return [
        {"name": name, "in": "query", "required": False, "schema": schema}
        | ({"style": "form", "explode": False} if schema.get("type") == "array" else {})
        for name, schema in _properties(kind).items()
    ]


def _properties(kind: type[msgspec.Struct], *, null: bool = False) -> dict[str, Any]:
    """Return the JSON schemas of the fields of a struct; only JSON can say `null`."""
    (schema,), components = msgspec.json.schema_components(
        [kind], ref_template="#/components/schemas/{name}"
    )
    name = schema["$ref"].rpartition("/")[2]
    found: dict[str, Any] = {}
    for field, own in components[name]["properties"].items():
        choices = [each for each in own.get("anyOf", [own]) if null or each.get("type") != "null"]
        one = dict(choices[0]) if len(choices) == 1 else {"anyOf": choices}
        found[field] = one
    return found


def _object(
    fields: Mapping[str, Any],
    pictures: Sequence[str],
    schema: Mapping[str, Any],
    many: Sequence[str],
) -> dict[str, Any]:
    places = {
        name: {"type": "array", "items": schema, "minItems": 1} if name in many else schema
        for name in pictures
    }
    return {
        "type": "object",
        "properties": {**places, **fields},
        "required": list(pictures),
        "additionalProperties": False,
    }


def _complete_success(answers: dict[str, Any], example: object, files: Sequence[str]) -> None:
    for status, found in answers.items():
        if not status.startswith("2"):
            continue
        found.setdefault("headers", {})["X-Request-Id"] = {"schema": {"type": "string"}}
        if files:
            picture = {"schema": {"type": "string", "format": "binary"}}
            found["content"] = dict.fromkeys(files, picture)
        elif example is not None and JSON in found.get("content", {}):
            found["content"][JSON]["example"] = example


def _error(status: int) -> dict[str, Any]:
    example = {
        "error": {"code": _CODES[status], "message": ERRORS[status], "details": {}},
        "request_id": _EXAMPLE_ID,
    }
    return _answer(ERRORS[status], "ErrorAnswer", example)


def _answer(description: str, component: str, example: object) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{component}"}
    return {
        "description": description,
        "content": {JSON: {"schema": schema, "example": example}},
    }


_CODES: Mapping[int, str] = {
    400: "invalid_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    409: "already_exists",
    410: "job_lost",
    413: "image_too_large",
    415: "unsupported_media_type",
    422: "face_not_found",
    429: "rate_limited",
    503: "overloaded",
}
