"""This worker, and how it reaches the others of its server."""

import asyncio

import httpx
import structlog

from facecv.entrypoints.http.worker_group import Worker, WorkerGroup

SECRET_HEADER = "x-facecv-worker"  # noqa: S105 - the name of a header
CLIENT_HEADER = "x-facecv-client"
FACTS = "/facts"
STREAMS = "streams"
"""What only one worker does: watching the streams."""
_CONNECT = 2.0
_IDLE = 10.0
_ANSWER = 10.0
"""Seconds that a worker may take to tell how it stands."""


class Workers:
    """The workers of a server, as one of them sees them.

    Attributes:
        id: of this one.
        group: how they know of one another; None: there is only this one.
        endless: tasks that pass on answers of others which would not end by themselves.
    """

    def __init__(self, identity: str, group: WorkerGroup | None = None) -> None:
        self.id, self.group = identity, group
        self.endless: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None

    @property
    def client(self) -> httpx.AsyncClient:
        """What speaks to other workers; for the event loop that serves."""
        if self._client is None:
            timeout = httpx.Timeout(None, connect=_CONNECT)
            limits = httpx.Limits(max_keepalive_connections=16, keepalive_expiry=_IDLE)
            self._client = httpx.AsyncClient(timeout=timeout, limits=limits, trust_env=False)
        return self._client

    def others(self) -> list[Worker]:
        """Return all workers but this one."""
        if self.group is None:
            return []
        return [worker for worker in self.group.workers() if worker.id != self.id]

    def other(self, identity: str) -> Worker | None:
        """Return a worker by its id; None if it is this one, or not there."""
        if self.group is None or identity == self.id:
            return None
        return self.group.worker(identity)

    def holder(self, task: str) -> Worker | None:
        """Return who does what only one may do; None if that is this one, or nobody."""
        holder = self.group.holder(task) if self.group else None
        return holder if holder and holder.id != self.id else None

    def take_on(self, task: str) -> None:
        """Let the others know that this worker does what only one may do."""
        if self.group is not None:
            self.group.take_on(task, self.id)

    async def facts(self) -> list[bytes]:
        """Return how the other workers stand, as they tell it; one that is mute is left out."""
        others = await asyncio.to_thread(self.others)
        told = await asyncio.gather(*(self._facts(worker) for worker in others))
        return [each for each in told if each is not None]

    def let_go(self) -> None:
        """End answers that would not end by themselves; for the event loop."""
        for task in self.endless:
            task.cancel()

    async def close(self) -> None:
        """Close connections. May be called twice."""
        if self._client is not None:
            await self._client.aclose()

    def headers(self) -> dict[str, str]:
        """Return what a request shows to another worker."""
        return {SECRET_HEADER: self.group.secret} if self.group else {}

    async def _facts(self, worker: Worker) -> bytes | None:
        url = f"http://127.0.0.1:{worker.port}{FACTS}"
        try:
            answer = await self.client.get(url, headers=self.headers(), timeout=_ANSWER)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            log = structlog.get_logger()
            log.warning("a worker does not answer", pid=worker.pid, reason=type(error).__name__)
            return None
        return answer.content
