"""Requests about batches and jobs."""

import json
from collections.abc import Iterable
from typing import Literal
from urllib.parse import quote

from facecv.core.errors import ServiceError
from facecv.entrypoints.client.calls.parts import LINES, Json, fields_of, upload
from facecv.entrypoints.client.results import RemoteJob
from facecv.entrypoints.client.wire import Call, Picture, listed, plain, structured

Operation = Literal["detect", "analyze", "enroll", "search", "verify"]


def batch(operation: Operation, images: Iterable[Picture], options: Json) -> Call[Json]:
    """Return a call of a batch, whose items come as lines."""
    files = [upload("images", image) for image in images]
    path = f"/v1/batch/{operation}"
    return Call("POST", path, plain, form=fields_of(options), files=files, accept=LINES)


def batch_item(line: str) -> Json:
    """Return one item of a batch; raise `ServiceError` where the server made a job of it all."""
    item: Json = json.loads(line)
    if "job" in item:
        raise ServiceError(
            "these are too many pictures for one answer: the server made a job of them",
            hint="start_batch() returns it; job() says how far it is",
            details={"job": item["job"]["id"]},
        )
    return item


def start_batch(operation: Operation, images: Iterable[Picture], options: Json) -> Call[RemoteJob]:
    """Return a call of a batch that goes on as a job."""
    files = [upload("images", image) for image in images]
    form = fields_of({**options, "job": True})
    read = structured(RemoteJob, "job")
    return Call("POST", f"/v1/batch/{operation}", read, form=form, files=files)


def jobs() -> Call[list[RemoteJob]]:
    """Return a call that lists jobs."""
    return Call("GET", "/v1/jobs", listed(RemoteJob, "jobs"))


def job(job_id: str) -> Call[RemoteJob]:
    """Return a call that asks for a job."""
    return Call("GET", f"/v1/jobs/{quote(job_id, safe='')}", structured(RemoteJob, "job"))


def cancel_job(job_id: str) -> Call[RemoteJob]:
    """Return a call that cancels a job."""
    return Call("DELETE", f"/v1/jobs/{quote(job_id, safe='')}", structured(RemoteJob, "job"))
