"""Requests and answers, without input or output: what both clients share."""

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

import attrs
import cattrs
import httpx

from facecv.core.errors import FaceCVError, ServiceError
from facecv.entrypoints.client.results import Page

ResultT = TypeVar("ResultT")
ItemT = TypeVar("ItemT")
Picture = str | Path | bytes
"""A picture to send: the path of a file, an http(s) URL, or the bytes of a file."""

_SAFE = frozenset({"GET", "DELETE"})
_LONGEST_WAIT = 30.0


@attrs.frozen(eq=False)
class Call(Generic[ResultT]):
    """A request, and how its answer is read.

    Attributes:
        method: of HTTP.
        path: below the server's address.
        read: makes the result of an answer that succeeded.
        params: of the query; None values are left out.
        json: the body as JSON.
        form: fields of a form; None values are left out.
        files: (field, (file name, content)) of a form.
        content: the body as it is.
        accept: media type of the answer.
        headers: further ones.
        once: the body cannot be sent a second time.
    """

    method: str
    path: str
    read: Callable[[httpx.Response], ResultT]
    params: Mapping[str, Any] = attrs.field(factory=dict)
    json: Any = None
    form: Mapping[str, Any] | None = None
    files: Sequence[tuple[str, tuple[str, bytes]]] = ()
    content: Any = None
    accept: str = "application/json"
    headers: Mapping[str, str] = attrs.field(factory=dict)
    once: bool = False

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of httpx's ``build_request``."""
        given: dict[str, Any] = {
            "method": self.method,
            "url": self.path,
            "params": _texts(self.params),
            "headers": {"Accept": self.accept, **self.headers},
        }
        if self.json is not None:
            given["json"] = self.json
        elif self.form is not None:
            given["data"] = _texts(self.form)
            given["files"] = list(self.files)
        elif self.content is not None:
            given["content"] = self.content
        return given

    def wait(self, answer: httpx.Response | None, attempt: int, retries: int) -> float | None:
        """Return the seconds after which to try again; None: do not.

        Only where that is safe: the server said when to come back and had done nothing (503, but
        not for lack of time), or the connection broke in a request that may be repeated.

        Args:
            answer: what came; None: the connection broke.
            attempt: how many there were.
            retries: how many more there may be in all.
        """
        if attempt > retries or self.once:
            return None
        if answer is None:
            return 0.1 * 2.0**attempt if self.method in _SAFE else None
        after = answer.headers.get("Retry-After", "")
        if answer.status_code != 503 or not after.isdigit():
            return None
        if self.method not in _SAFE and b'"time_limit"' in answer.content:
            return None  # the work may still be done
        return min(float(after), _LONGEST_WAIT)


def structured(kind: type[ResultT], field: str = "") -> Callable[[httpx.Response], ResultT]:
    """Return what reads an answer, or one field of it, as a value."""

    def read(answer: httpx.Response) -> ResultT:
        body = answer.json()
        return converted(body[field] if field else body, kind)

    return read


def paged(kind: type[ItemT], field: str) -> Callable[[httpx.Response], Page[ItemT]]:
    """Return what reads a page of a list."""

    def read(answer: httpx.Response) -> Page[ItemT]:
        body = answer.json()
        items = [converted(each, kind) for each in body[field]]
        return Page(items, body.get("next_cursor"))

    return read


def listed(kind: type[ItemT], field: str) -> Callable[[httpx.Response], list[ItemT]]:
    """Return what reads a list."""
    return lambda answer: [converted(each, kind) for each in answer.json()[field]]


def plain(answer: httpx.Response) -> Mapping[str, Any]:
    """Return an answer as JSON has it."""
    body: Mapping[str, Any] = answer.json()
    return body


def nothing(_: httpx.Response) -> None:
    """Read an answer without content."""


def raw(answer: httpx.Response) -> bytes:
    """Return an answer that is a file."""
    return answer.content


def text(answer: httpx.Response) -> str:
    """Return an answer that is text."""
    return answer.text


def encoded(line: str) -> bytes:
    """Return one line of an import."""
    return line.rstrip("\r\n").encode() + b"\n"


def converted(body: Any, kind: type[ResultT]) -> ResultT:  # noqa: ANN401 - JSON
    """Return JSON as a value; raise `ServiceError` if it is something else."""
    try:
        return _CONVERTER.structure(body, kind)
    except (cattrs.BaseValidationError, KeyError, TypeError, ValueError) as error:
        raise ServiceError("the server's answer is not understood") from error


def check(answer: httpx.Response) -> None:
    """Raise the error that a server answered with, as the class it has in `facecv.core.errors`."""
    if answer.is_success:
        return
    try:
        body = answer.json()["error"]
        code, message = str(body["code"]), str(body["message"])
        details = dict(body.get("details") or {})
    except (ValueError, KeyError, TypeError):
        code, message, details = "", f"the server answered {answer.status_code}", {}
    hint = str(details.pop("hint", ""))
    kind = next((each for each in _kinds(FaceCVError) if _wire_code(each) == code), ServiceError)
    raise kind(message, hint=hint, details=details | {"status": answer.status_code})


def unreachable(error: httpx.HTTPError) -> ServiceError:
    """Return the error for a server that cannot be reached."""
    return ServiceError(f"the server cannot be reached: {error}", hint="is 'facecv serve' running?")


def content_of(picture: Picture) -> tuple[str, bytes]:
    """Return the file name and the content of a picture; of a URL, nothing and its text."""
    if isinstance(picture, bytes):
        return "picture", picture
    if str(picture).lower().startswith(("http://", "https://")):
        return "", str(picture).encode()
    path = Path(picture)
    return path.name, path.read_bytes()


def _wire_code(kind: type[FaceCVError]) -> str:
    return kind.code.replace("-", "_")


def _kinds(kind: type[FaceCVError]) -> Iterator[type[FaceCVError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _kinds(child)


def _texts(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as forms and queries have them."""
    return {name: _text(value) for name, value in values.items() if value is not None}


def _text(value: Any) -> Any:  # noqa: ANN401 - whatever a field may be
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else value


def _make_converter() -> cattrs.Converter:
    converter = cattrs.Converter()
    converter.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(str(text)))
    converter.register_structure_hook(date, lambda text, _: date.fromisoformat(str(text)))
    converter.register_structure_hook(bytes, lambda text, _: base64.b64decode(str(text)))
    return converter


_CONVERTER = _make_converter()
