"""Reading requests that carry pictures: multipart forms, raw bodies and JSON.

One way in for all routes: `read_form` gives the pictures by name and the other fields as a struct.
A picture in JSON or in a text field is base64, a data URI, or (where the server allows them) an
http(s) URL. Options come as fields beside the pictures, or in the query.
"""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, Generic, TypeVar

import attrs
import msgspec
from litestar.datastructures import UploadFile
from litestar.exceptions import ClientException, HTTPException

from facecv.core.errors import (
    ImageDecodeError,
    ImageFetchError,
    ImageTooLargeError,
    InputError,
)
from facecv.entrypoints.http.deadlines import Deadlines
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.wrong_fields import sentence
from facecv.entrypoints.server_config import ServerConfig

FieldsT = TypeVar("FieldsT", bound=msgspec.Struct)
JSON, MULTIPART = "application/json", "multipart/form-data"
RAW = ("image/*", "application/octet-stream")


@attrs.frozen
class Picture:
    """A picture as it came, not decoded.

    Attributes:
        source: the bytes of a file, or a URL that may be fetched.
        name: of the file, or of the field.
    """

    source: bytes | str = attrs.field(repr=False)
    name: str = ""


@attrs.frozen
class Form(Generic[FieldsT]):
    """What a request carries.

    Attributes:
        pictures: by the name of their field, in order.
        fields: everything else.
    """

    pictures: Mapping[str, tuple[Picture, ...]]
    fields: FieldsT

    def picture(self, name: str) -> Picture:
        """Return the one picture of a field.

        Raises:
            InputError: there is none, or more than one.
        """
        found = self.pictures.get(name, ())
        if len(found) != 1:
            count = len(found) or "no"
            raise InputError(f"{count} pictures in the field {name!r}: one is wanted")
        return found[0]


async def read_form(
    request: AnyRequest, kind: type[FieldsT], pictures: Sequence[str], config: ServerConfig
) -> Form[FieldsT]:
    """Return the pictures and the fields of a request.

    Args:
        request: whose body is read.
        kind: what the other fields are; unknown ones are refused if the struct forbids them.
        pictures: names of the fields that hold pictures; a raw body is taken for a single one.
        config: limits, and whether URLs are taken.

    Raises:
        InputError: a field is unknown, or has a wrong value.
        ImageTooLargeError: a picture has too many bytes.
        HTTPException: the body is of another kind (415), broken (400), too slow (408) or too
            large (413).
    """
    try:
        async with _limited(request, config.limits.seconds):
            found, values, strict = await _read(request, pictures, config)
    except TimeoutError as error:
        raise HTTPException("the body took too long to arrive", status_code=408) from error
    if sum(map(len, found.values())) > config.limits.images:
        raise ImageTooLargeError(f"more than {config.limits.images} pictures in one request")
    for name in pictures:
        if name in values and name not in kind.__struct_fields__:
            raise InputError(f"the field {name!r} is no picture: send base64 or a data URI")
    query = _query(request)
    if strict:
        return Form(found, fields_of(kind, values, query))
    return Form(found, fields_of(kind, {}, query | values))


def fields_of(
    kind: type[FieldsT], values: Mapping[str, Any], texts: Mapping[str, Any] | None = None
) -> FieldsT:
    """Return `values`, typed as JSON has them, and `texts`, as queries have them, as a struct.

    Raises:
        InputError: a field is unknown, missing, or has a wrong value; names it.
    """
    try:
        texts = texts or {}
        objects = {name: _object_of(name, texts[name]) for name in _objects(kind, texts)}
        others = [name for name in texts if name not in objects]
        lists = {name: _split(kind, name, texts[name]) for name in others}
        loose = msgspec.convert(lists, kind, strict=False) if lists else None
        given = {name: getattr(loose, name) for name in lists if loose is not None}
        return msgspec.convert(msgspec.to_builtins(given) | objects | dict(values), kind)
    except msgspec.ValidationError as error:
        raise InputError(sentence(str(error), kind)) from error


def source_of(text: str, name: str, config: ServerConfig) -> Picture:
    """Return the picture that a text stands for: base64, a data URI or a URL.

    Raises:
        ImageFetchError: it is a URL, and they are not taken.
        ImageDecodeError: it is neither.
        ImageTooLargeError: it has too many bytes.
    """
    if text[:8].lower().startswith(("http://", "https://")):
        if not config.urls.enabled:
            raise ImageFetchError(
                "pictures are not fetched from URLs here", hint="send the picture itself"
            )
        return Picture(text, name)
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ImageDecodeError(f"the field {name!r} is neither base64 nor a URL") from error
    return checked(Picture(content, name), config)


def checked(picture: Picture, config: ServerConfig) -> Picture:
    """Return a picture if it is not too large; raise `ImageTooLargeError` if it is."""
    if len(picture.source) > config.limits.image_bytes:
        raise ImageTooLargeError(
            f"{picture.name}: more than {config.limits.image_bytes} bytes",
            details={"limit": config.limits.image_bytes},
        )
    return picture


@asynccontextmanager
async def _limited(request: AnyRequest, seconds: float) -> AsyncIterator[None]:
    """Raise `TimeoutError` if the block takes longer."""
    deadlines: Deadlines = request.app.state.service.deadlines
    async with asyncio.timeout(None) as limit:
        with deadlines.after(seconds, lambda: limit.reschedule(0)):
            yield


_Read = tuple[dict[str, tuple[Picture, ...]], dict[str, Any], bool]


async def _read(request: AnyRequest, pictures: Sequence[str], config: ServerConfig) -> _Read:
    """Return pictures, other values, and whether these are typed as in JSON."""
    kind = request.content_type[0].lower()
    if kind == JSON:
        return (*_from_json(await request.body(), pictures, config), True)
    if kind == MULTIPART:
        return (*await _from_multipart(request, pictures, config), False)
    if len(pictures) == 1 and (kind.startswith("image/") or kind == RAW[1]):
        body = await request.body()
        return {pictures[0]: (checked(Picture(body, pictures[0]), config),)}, {}, False
    taken = f"{MULTIPART}, {JSON}" + (" or a picture" if len(pictures) == 1 else "")
    raise HTTPException(
        f"a body of type {kind or 'unknown'!r} is not taken: send {taken}", status_code=415
    )


def _from_json(
    body: bytes, pictures: Sequence[str], config: ServerConfig
) -> tuple[dict[str, tuple[Picture, ...]], dict[str, Any]]:
    try:
        values = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ClientException(f"the body is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise InputError("the body must be a JSON object")
    found: dict[str, tuple[Picture, ...]] = {}
    for name in pictures:
        value = values.get(name)
        if isinstance(value, str):
            found[name] = (source_of(values.pop(name), name, config),)
        elif isinstance(value, list) and all(isinstance(each, str) for each in value):
            texts = values.pop(name)
            found[name] = tuple(source_of(text, name, config) for text in texts)
    return found, values


async def _from_multipart(
    request: AnyRequest, pictures: Sequence[str], config: ServerConfig
) -> tuple[dict[str, tuple[Picture, ...]], dict[str, Any]]:
    form = await request.form()
    found: dict[str, tuple[Picture, ...]] = {}
    values: dict[str, Any] = {}
    for name in dict.fromkeys(form):
        parts = form.getall(name)
        if name in pictures:
            found[name] = tuple([await _part(part, name, config) for part in parts])
        elif any(isinstance(part, UploadFile) for part in parts):
            raise InputError(f"there is no field {name!r} for files")
        else:
            values[name] = parts if len(parts) > 1 else parts[0]
    return found, values


async def _part(part: Any, name: str, config: ServerConfig) -> Picture:  # noqa: ANN401 - a form's
    if isinstance(part, UploadFile):
        return checked(Picture(await part.read(), part.filename or name), config)
    return source_of(str(part), name, config)


def _query(request: AnyRequest) -> dict[str, Any]:
    """Return the query; a name that is given several times has a list."""
    values = request.query_params
    return {
        name: many if len(many := values.getall(name)) > 1 else many[0]
        for name in dict.fromkeys(values)
    }


def _split(kind: type[msgspec.Struct], name: str, value: Any) -> Any:  # noqa: ANN401 - as typed
    """Return a text as the list that a field wants: its parts between commas."""
    wants_list = "list[" in _types(kind).get(name, "")
    return value.split(",") if wants_list and isinstance(value, str) else value


def _objects(kind: type[msgspec.Struct], texts: Mapping[str, Any]) -> list[str]:
    """Return the names of texts whose fields want an object: these are written as JSON."""
    types = _types(kind)
    return [name for name in texts if types.get(name, "").startswith("dict[")]


@cache
def _types(kind: type[msgspec.Struct]) -> Mapping[str, str]:
    """Return how the types of a struct's fields are written, by name; finding out is slow."""
    return {field.encode_name: str(field.type) for field in msgspec.structs.fields(kind)}


def _object_of(name: str, text: Any) -> Any:  # noqa: ANN401 - as typed
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, TypeError) as error:
        raise InputError(f"the field {name!r} is not a JSON object: {error}") from error
