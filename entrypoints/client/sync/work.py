"""Batches and jobs."""

from collections.abc import Iterable, Iterator
from typing import Any

from facecv.entrypoints.client.calls import work as calls
from facecv.entrypoints.client.calls.parts import Json
from facecv.entrypoints.client.calls.work import Operation
from facecv.entrypoints.client.results import RemoteJob
from facecv.entrypoints.client.sync.connection import Connection
from facecv.entrypoints.client.wire import Picture


class WorkOperations(Connection):
    """Operations on many pictures, and on work in the background."""

    def batch(
        self,
        operation: Operation,
        images: Iterable[Picture],
        **options: Any,  # noqa: ANN401 - the service's
    ) -> Iterator[Json]:
        """Yield the items of a batch as they are ready.

        Raises:
            ServiceError: they are so many that the server made a job of them.
        """
        return map(calls.batch_item, self._lines(calls.batch(operation, images, options)))

    def jobs(self) -> list[RemoteJob]:
        """Return all jobs."""
        return self._do(calls.jobs())

    def job(self, job_id: str) -> RemoteJob:
        """Return a job."""
        return self._do(calls.job(job_id))

    def cancel_job(self, job_id: str) -> RemoteJob:
        """Cancel a job."""
        return self._do(calls.cancel_job(job_id))

    def start_batch(
        self,
        operation: Operation,
        images: Iterable[Picture],
        **options: Any,  # noqa: ANN401 - the service's
    ) -> RemoteJob:
        """Begin a batch as a job; its result has the items."""
        return self._do(calls.start_batch(operation, images, options))
