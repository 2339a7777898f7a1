"""Beginning jobs for requests, and who may see them."""

from collections.abc import Callable

import structlog
from litestar import Response

from facecv.core.errors import ForbiddenError, JobNotFoundError
from facecv.core.services.jobs import Job, JobCancelled, Tell, failure
from facecv.entrypoints.http.access import key_of
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.job_shapes import JobAnswer, job_shape
from facecv.entrypoints.http.request_id import request_id
from facecv.entrypoints.http.service import Service


def begin(
    request: AnyRequest, service: Service, kind: str, work: Callable[[Tell], object]
) -> Response[JobAnswer]:
    """Begin a job that belongs to the key of a request, and answer 202 with it.

    Raises:
        OverloadedError: too many jobs are waiting.
    """
    key = key_of(request)

    def logged(tell: Tell) -> object:
        try:
            return work(tell)
        except JobCancelled:
            raise
        except Exception as error:
            _log(kind, error)
            raise

    job = service.jobs.submit(kind, logged, owner=key.id if key else "")
    answer = JobAnswer(request_id(request.scope), job_shape(job))
    return Response(answer, status_code=202, headers={"Location": f"/v1/jobs/{job.id}"})


def job_for(request: AnyRequest, service: Service, identity: str) -> Job:
    """Return a job that the key of a request may see.

    Raises:
        JobNotFoundError: there is no such job, or it is somebody else's.
    """
    job = service.jobs.get(identity)
    if not may_see(request, job.owner):
        raise JobNotFoundError(f"there is no job {identity!r}")
    return job


def may_see(request: AnyRequest, owner: str) -> bool:
    """Return whether the key that a request shows is a job's owner, or may do everything."""
    key = key_of(request)
    return key is None or key.id == owner or key.allows("admin")


def check_unrestricted(request: AnyRequest) -> None:
    """Raise `ForbiddenError` where the key of a request is for some collections only."""
    key = key_of(request)
    if key is not None and key.collections is not None:
        raise ForbiddenError("this key is restricted to some collections")


def _log(kind: str, error: Exception) -> None:
    log = structlog.get_logger()
    if failure(Job("", kind, error=error)) is None:
        log.error("a bug in a job", kind=kind, exc_info=error)
    else:
        log.warning("a job failed", kind=kind, reason=str(error))
