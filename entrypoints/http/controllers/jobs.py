"""Jobs: how far they are, what they brought, calling them off."""

from datetime import UTC, datetime
from typing import Annotated

from litestar import Controller, delete, get
from litestar.params import PathParameter

from facecv.entrypoints.http.access import requires
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.job_shapes import (
    JobAnswer,
    JobList,
    JobShape,
    ProgressShape,
    job_shape,
)
from facecv.entrypoints.http.jobs import job_for, may_see
from facecv.entrypoints.http.openapi import operation
from facecv.entrypoints.http.request_id import request_id
from facecv.entrypoints.http.service import ServiceParam
from facecv.entrypoints.http.worker_facts import server_facts

JobId = Annotated[str, PathParameter(description="As the answer 202 gave it.")]
EXAMPLE = JobShape(
    id="8f3a2b1c0d9e8f7a6b5c4d3e",
    kind="pull",
    state="running",
    progress=ProgressShape(1_048_576, 16_923_827, "det_10g.onnx"),
    created=datetime(2026, 1, 1, 12, 0, tzinfo=UTC),
    started=datetime(2026, 1, 1, 12, 0, tzinfo=UTC),
)
"""A download that goes on."""


class JobController(Controller):
    """Work that goes on in the background. Nothing of it survives its process: that is 410."""

    path = "/jobs"
    tags = ("Jobs",)

    @get(
        "/",
        guards=[requires("read")],
        operation_class=operation(JobList("a1", [EXAMPLE])),
    )
    async def jobs(self, request: AnyRequest, service: ServiceParam) -> JobList:
        """List the jobs of this key (all, for an admin), the newest first."""
        facts = await server_facts(service)
        shapes = [each.job for each in facts.jobs() if may_see(request, each.owner)]
        return JobList(request_id(request.scope), shapes)

    @get(
        "/{job_id:str}",
        guards=[requires("read")],
        operation_class=operation(JobAnswer("a1", EXAMPLE), errors=(404, 410)),
    )
    async def job(self, request: AnyRequest, service: ServiceParam, job_id: JobId) -> JobAnswer:
        """Tell how far a job is, and what it brought."""
        job = job_for(request, service, job_id)
        return JobAnswer(request_id(request.scope), job_shape(job))

    @delete(
        "/{job_id:str}",
        status_code=200,
        guards=[requires("read")],
        operation_class=operation(JobAnswer("a1", EXAMPLE), errors=(404, 410)),
    )
    async def cancel(self, request: AnyRequest, service: ServiceParam, job_id: JobId) -> JobAnswer:
        """Call a job off: one that runs ends at its next step; what is over stays as it is."""
        job_for(request, service, job_id)
        job = service.jobs.cancel(job_id)
        return JobAnswer(request_id(request.scope), job_shape(job))
