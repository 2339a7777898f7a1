"""What jobs look like in answers."""

from datetime import datetime
from typing import Any

import msgspec

from facecv.core.services.jobs import Job, JobState, failure
from facecv.entrypoints.http.errors import ErrorBody, error_body


class ProgressShape(msgspec.Struct):
    """How far a job is.

    Attributes:
        done: steps behind it.
        total: steps in all; 0 while that is not known.
        note: what it is doing.
    """

    done: int
    total: int
    note: str


class JobShape(msgspec.Struct):
    """A job.

    Attributes:
        id: by which it is asked for.
        kind: what it does.
        state: `done`, `failed` and `cancelled` are final.
        progress: how far it is.
        created: when it was asked for.
        started: when it began.
        finished: when it ended.
        result: what it brought, once it is done.
        error: why it failed.
    """

    id: str
    kind: str
    state: JobState
    progress: ProgressShape
    created: datetime
    started: datetime | None = None
    finished: datetime | None = None
    result: Any = None
    error: ErrorBody | None = None

    @property
    def active(self) -> bool:
        """Whether it runs or waits."""
        return self.state in {"queued", "running"}


class JobAnswer(msgspec.Struct):
    """How things stand with one job."""

    request_id: str
    job: JobShape


class JobList(msgspec.Struct):
    """The jobs that a key may see, the newest first, without their results."""

    request_id: str
    jobs: list[JobShape]


def job_shape(job: Job, *, result: bool = True) -> JobShape:
    """Return a job; a bug inside it is told without details.

    Args:
        job: what it is.
        result: whether to give what it brought, which may be large.
    """
    return JobShape(
        id=job.id,
        kind=job.kind,
        state=job.state,
        progress=ProgressShape(job.done, job.total, job.note),
        created=job.created,
        started=job.started,
        finished=job.finished,
        result=job.result if result else None,
        error=_error(job),
    )


def _error(job: Job) -> ErrorBody | None:
    if job.error is None:
        return None
    ours = failure(job)
    if ours is not None:
        return error_body(ours)
    return ErrorBody("internal", "something went wrong here; the log tells what")
