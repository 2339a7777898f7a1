"""Errors as clients of InsightFace Server know them: their statuses and codes, our messages."""

from litestar import Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from facecv.core import errors
from facecv.core.errors import FaceCVError
from facecv.entrypoints.http.errors import AnyRequest, ErrorAnswer, answer_http, answer_ours

_FACTS = {
    "rejected_images": (422, "registration_failed"),
    "capacity_rows": (409, "collection_capacity_exceeded"),
    "max_faces": (409, "person_face_limit_exceeded"),
    "external_id": (409, "external_id_exists"),
    "expected_embedding_contract_id": (409, "embedding_contract_mismatch"),
}
"""Errors that are told by a fact in their details; goes before `_KINDS`."""

_KINDS: tuple[tuple[type[FaceCVError], int, str], ...] = (
    (errors.ImageTooLargeError, 413, "image_too_large"),
    (errors.ImageDecodeError, 422, "invalid_image"),
    (errors.ImageFetchError, 422, "invalid_image"),
    (errors.FaceNotFoundError, 422, "face_not_found"),
    (errors.QualityError, 422, "low_quality"),
    (errors.LivenessError, 422, "not_live"),
    (errors.InputError, 400, "invalid_request"),
    (errors.CollectionNotFoundError, 404, "resource_not_found"),
    (errors.PersonNotFoundError, 404, "resource_not_found"),
    (errors.FaceRecordNotFoundError, 404, "resource_not_found"),
    (errors.KnownFaceError, 409, "identity_similarity_conflict"),
    (errors.NotEmptyError, 409, "collection_not_empty"),
    (errors.EmbeddingSpaceError, 409, "collection_model_mismatch"),
    (errors.ModelNotFoundError, 409, "collection_model_mismatch"),
    (errors.TimeLimitError, 503, "request_timeout"),
)


def reason_of(error: FaceCVError) -> str:
    """Return why a photo was not taken, in their word."""
    known = (code for kind, _, code in _KINDS if isinstance(error, kind))
    return next(known, "invalid_image")


def _answer(request: AnyRequest, error: FaceCVError) -> Response[ErrorAnswer]:
    """Answer with an error of ours, in their words where they have some."""
    made = answer_ours(request, error)
    if isinstance(error, errors.AlreadyExistsError) and not error.details:
        above = request.url.path.rstrip("/").rpartition("/")[2]
        made.content.error.code = {"collections": "collection_exists"}.get(above, "person_exists")
        return made
    known = [_FACTS[fact] for fact in _FACTS if fact in error.details]
    known += [(status, code) for kind, status, code in _KINDS if isinstance(error, kind)]
    if known:
        made.status_code, made.content.error.code = known[0]
    return made


def _answer_http(request: AnyRequest, error: HTTPException) -> Response[ErrorAnswer]:
    """Answer with an error of the framework's; what is not valid is 400 there."""
    made = answer_http(request, error)
    if made.status_code == 422:
        made.status_code, made.content.error.code = 400, "invalid_request"
    return made


HANDLERS: ExceptionHandlersMap = {FaceCVError: _answer, HTTPException: _answer_http}
