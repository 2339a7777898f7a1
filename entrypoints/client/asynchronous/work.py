"""Batches and jobs."""

from collections.abc import AsyncIterator, Iterable
from typing import Any

from facecv.entrypoints.client.asynchronous.connection import AsyncConnection
from facecv.entrypoints.client.calls import work as calls
from facecv.entrypoints.client.calls.parts import Json
from facecv.entrypoints.client.calls.work import Operation
from facecv.entrypoints.client.results import RemoteJob
from facecv.entrypoints.client.wire import Picture


class AsyncWorkOperations(AsyncConnection):
    """Operations on many pictures, and on work in the background."""

    async def batch(
        self,
        operation: Operation,
        images: Iterable[Picture],
        **options: Any,  # noqa: ANN401 - the service's
    ) -> AsyncIterator[Json]:
        """Yield the items of a batch as they are ready.

        Raises:
            ServiceError: they are so many that the server made a job of them.
        """
        async for line in self._lines(calls.batch(operation, images, options)):
            yield calls.batch_item(line)

    async def jobs(self) -> list[RemoteJob]:
        """Return all jobs."""
        return await self._do(calls.jobs())

    async def job(self, job_id: str) -> RemoteJob:
        """Return a job."""
        return await self._do(calls.job(job_id))

    async def cancel_job(self, job_id: str) -> RemoteJob:
        """Cancel a job."""
        return await self._do(calls.cancel_job(job_id))

    async def start_batch(
        self,
        operation: Operation,
        images: Iterable[Picture],
        **options: Any,  # noqa: ANN401 - the service's
    ) -> RemoteJob:
        """Begin a batch as a job; its result has the items."""
        return await self._do(calls.start_batch(operation, images, options))
