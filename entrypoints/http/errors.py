"""Errors on the wire: one shape, and one table from kinds of errors to statuses."""

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    TooManyRequestsException,
    ValidationException,
)
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.types import ExceptionHandlersMap

from facecv.core import errors
from facecv.core.errors import FaceCVError
from facecv.entrypoints.http.request_id import request_id
from facecv.entrypoints.http.wrong_fields import in_words

AnyRequest = Request[Any, Any, Any]

STATUSES: tuple[tuple[type[FaceCVError], int], ...] = (
    (errors.ImageTooLargeError, 413),
    (errors.InputError, 422),
    (errors.ModelNotFoundError, 404),
    (errors.EmbeddingSpaceError, 409),
    (errors.ModelInUseError, 409),
    (errors.CollectionNotFoundError, 404),
    (errors.PersonNotFoundError, 404),
    (errors.FaceRecordNotFoundError, 404),
    (errors.StrangerNotFoundError, 404),
    (errors.AlreadyExistsError, 409),
    (errors.NotEmptyError, 409),
    (errors.CropsMissingError, 409),
    (errors.UnknownProviderError, 404),
    (errors.UnauthorizedError, 401),
    (errors.ForbiddenError, 403),
    (errors.JobLostError, 410),
    (errors.JobNotFoundError, 404),
    (errors.StreamNotFoundError, 404),
    (errors.StreamExistsError, 409),
    (errors.ServiceError, 503),
    (errors.GalleryError, 503),
    (errors.ModelError, 503),
    (errors.BackendError, 503),
    (errors.PluginError, 503),
)
"""First match wins; what is not here is a fault of the server."""

_CODES: Mapping[int, str] = {
    400: "invalid_request",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "body_too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
}


class ErrorBody(msgspec.Struct):
    """What was wrong.

    Attributes:
        code: a stable identifier of the kind of error.
        message: in words.
        details: facts about it.
    """

    code: str
    message: str
    details: dict[str, Any] = {}


class ErrorAnswer(msgspec.Struct):
    """The answer to a request that failed."""

    error: ErrorBody
    request_id: str


def wire_code(error: FaceCVError) -> str:
    """Return the code of an error as clients see it: ``face_not_found``."""
    return error.code.replace("-", "_")


def status_of(error: FaceCVError) -> int:
    """Return the status that an error answers with."""
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def error_body(error: FaceCVError) -> ErrorBody:
    """Return an error of ours as clients see it, such as one item of a batch."""
    hint = {"hint": error.hint} if error.hint else {}
    return ErrorBody(wire_code(error), error.message, hint | dict(error.details))


def answer(
    request: AnyRequest, status: int, body: ErrorBody, headers: Mapping[str, str] | None = None
) -> Response[ErrorAnswer]:
    """Return the answer to a request that failed."""
    own = request_id(request.scope)
    if status >= 500 and body.code != "not_ready":
        request.app.state.service.journal.note(body.code, body.message, own, request.url.path)
    content = ErrorAnswer(body, own)
    return Response(content, status_code=status, headers=dict(headers or {}))


def answer_ours(request: AnyRequest, error: FaceCVError) -> Response[ErrorAnswer]:
    """Answer with an error of ours; a fault of the server is logged and told without details."""
    status = status_of(error)
    if status == 500:
        return answer_bug(request, error)
    if status == 503 and not isinstance(error, errors.NotReadyError):
        structlog.get_logger().warning("refused", code=error.code, reason=error.message)
    return answer(request, status, error_body(error), _headers(error))


def _headers(error: FaceCVError) -> Mapping[str, str]:
    if isinstance(error, errors.UnauthorizedError):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, errors.ServiceError) and status_of(error) == 503:
        return {"Retry-After": str(error.details.get("retry_after", 1))}
    return {}


def answer_http(request: AnyRequest, error: HTTPException) -> Response[ErrorAnswer]:
    """Answer with an error of Litestar's: no such route, a body that is no JSON, and the like."""
    if isinstance(error, ValidationException) and error.extra:
        data = request.route_handler.parsed_data_field
        return answer(request, 422, _invalid(error, data.annotation if data else None))
    if error.status_code >= 500:
        return answer_bug(request, error)
    code = _CODES.get(error.status_code, "invalid_request")
    headers = dict(error.headers or {})
    if isinstance(error, TooManyRequestsException):
        headers["Retry-After"] = headers.get("RateLimit-Reset", "60")
    return answer(request, error.status_code, _refused(request, code, error, headers), headers)


def _refused(
    request: AnyRequest, code: str, error: HTTPException, headers: Mapping[str, str]
) -> ErrorBody:
    """Return what was wrong, where the framework says no more than the status."""
    match error:
        case NotFoundException():
            hint = {"hint": "/docs lists what there is"} if request.app.openapi_config else {}
            return ErrorBody(code, f"there is nothing at {request.url.path!r}", hint)
        case MethodNotAllowedException():
            allowed = headers.get("allow", "")
            return ErrorBody(code, f"{request.method} is not possible here", {"allow": allowed})
        case RequestEntityTooLarge():
            limit = request.app.state.service.config.limits.body_bytes
            return ErrorBody(
                code, f"a body of more than {limit} bytes is not taken", {"limit": limit}
            )
        case TooManyRequestsException():
            later = int(headers["Retry-After"])
            return ErrorBody(
                code, f"too many requests: come back in {later} s", {"retry_after": later}
            )
    return ErrorBody(code, error.detail)


def _invalid(error: ValidationException, body: object) -> ErrorBody:
    """Return what was wrong with fields; `body` is the type of the body that was wanted."""
    extra = error.extra if isinstance(error.extra, list) else []
    problems = [_problem(each, body) for each in extra if isinstance(each, dict)]
    words = "; ".join(f"{each['field']}: {each['message']}".strip(": ") for each in problems)
    return ErrorBody("invalid_input", words or error.detail, {"fields": problems})


def _problem(found: Mapping[str, Any], body: object) -> dict[str, str]:
    """Return a field and what is wrong with it; for the body, Litestar's own name is ``data``."""
    path = str(found.get("key", "")).split(".")
    inner, words = in_words(str(found.get("message", "")), body)
    parts = [*(path[1:] if path[0] == "data" else path), inner]
    return {"field": ".".join(part for part in parts if part), "message": words}


def answer_bug(request: AnyRequest, error: Exception) -> Response[ErrorAnswer]:
    """Answer 500 and tell nothing; the log has the traceback under the request's id."""
    structlog.get_logger().error("a bug", path=request.url.path, exc_info=error)
    body = ErrorBody("internal", "something went wrong here; the log tells what")
    return answer(request, 500, body)


HANDLERS: ExceptionHandlersMap = {
    FaceCVError: answer_ours,
    HTTPException: answer_http,
    Exception: answer_bug,
}
