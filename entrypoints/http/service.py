"""What every route works with: the engine, and a way to run it off the event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from itertools import islice
from typing import TypeVar

import attrs
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import SkipValidation
from prometheus_client import CollectorRegistry

from facecv.core.errors import TimeLimitError
from facecv.core.services.jobs import Jobs
from facecv.core.services.metering import RollingMeter
from facecv.core.services.permit import Permit
from facecv.core.services.work import WorkPool
from facecv.entrypoints.api import Engine
from facecv.entrypoints.http.access import Access
from facecv.entrypoints.http.deadlines import Deadlines
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.journal import Journal
from facecv.entrypoints.http.model_sync import ModelSync
from facecv.entrypoints.http.readiness import Readiness
from facecv.entrypoints.http.stream_desk import StreamDesk
from facecv.entrypoints.http.workers import Workers
from facecv.entrypoints.server_config import ServerConfig

ResultT = TypeVar("ResultT")

_UNWATCHED = 0.25
"""Seconds of a request in which nobody looks whether its client is still there.

Watching takes a task of its own, and most requests are answered by then.
"""


class ClientGoneError(ClientException):
    """Nobody waits for the answer any more."""

    status_code = 400


@attrs.define(eq=False)
class Service:
    """What routes work with; one a process.

    Attributes:
        engine: what is served.
        config: section ``[server]``.
        pool: where blocking work runs.
        access: who may do what.
        readiness: whether the models are loaded.
        journal: the last requests that failed here.
        jobs: work in the background.
        meter: what the last minutes were like.
        streams: cameras and videos that are watched.
        workers: the processes of the server, this one among them.
        models: changes models here, and follows the other workers.
        registry: the figures of this application for Prometheus.
        deadlines: end what takes too long.
    """

    engine: Engine
    config: ServerConfig
    pool: WorkPool
    access: Access
    readiness: Readiness
    journal: Journal
    jobs: Jobs
    meter: RollingMeter
    streams: StreamDesk
    workers: Workers
    models: ModelSync
    registry: CollectorRegistry = attrs.field(factory=CollectorRegistry)
    deadlines: Deadlines = attrs.field(factory=Deadlines)

    def let_go(self) -> None:
        """Begin to stop: clients go whose answers would not end; for the event loop."""
        self.streams.let_go()
        self.workers.let_go()

    async def run(self, request: AnyRequest, task: Callable[[], ResultT]) -> ResultT:
        """Return what `task` returns, run in the pool.

        Work that still waits when the client goes away, or when the time is over, is dropped; what
        is under way by then keeps nothing, unless it is keeping it already: then the answer waits
        for it (see `may_keep`). That a client went is noticed a quarter of a second after the
        request came, at the earliest. The body of the request must have been read before.

        Raises:
            OverloadedError: too much work is waiting.
            TimeLimitError: it took longer than a request may take.
        """
        permit = Permit()
        seconds = self.config.limits.seconds
        work = self.pool.submit(permit.around(task))
        try:
            await _done(work, min(seconds, _UNWATCHED), self.deadlines)
            if work.done():
                return _outcome(work)
            return await _watched(work, permit, request, seconds)
        finally:
            permit.withdraw()  # the server is stopping, and waits no longer
            work.cancel()  # takes the work back if it has not begun

    async def stream(
        self, request: AnyRequest, items: Iterator[ResultT], at_once: int = 64
    ) -> AsyncIterator[ResultT]:
        """Yield what a blocking iterator yields, some at a time, each time run in the pool.

        The time limit is for each part, not for the whole.

        Args:
            request: whose answer is streamed.
            items: the iterator.
            at_once: how many are taken in one piece of work.
        """
        while part := await self.run(request, lambda: list(islice(items, at_once))):
            for item in part:
                yield item


ServiceParam = NamedDependency[SkipValidation[Service]]
"""The type of a route's parameter ``service``."""


async def _done(future: Future[ResultT], seconds: float, deadlines: Deadlines) -> None:
    """Wait until a future of the pool is done, or the time is over.

    `asyncio.wait` would take one more turn of the event loop (see `Deadlines`).
    """
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()

    def wake() -> None:
        if not waiter.done():
            waiter.set_result(None)

    def tell(_: Future[ResultT]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(wake)

    future.add_done_callback(tell)
    with deadlines.after(seconds, wake):
        await waiter


def _outcome(future: Future[ResultT]) -> ResultT:
    """Return the result of a future that is done; work that was dropped ends its request."""
    if future.cancelled():
        raise asyncio.CancelledError
    return future.result()


async def _watched(
    future: Future[ResultT], permit: Permit, request: AnyRequest, seconds: float
) -> ResultT:
    """Return the future's result, unless the client goes or the time ends first."""
    result = asyncio.wrap_future(future)
    gone = asyncio.ensure_future(_gone(request))
    left = max(0, seconds - _UNWATCHED)
    try:
        waits: set[asyncio.Future[object]] = {result, gone}  # type: ignore[arg-type]
        await asyncio.wait(waits, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        if result.done() or not permit.withdraw():
            return await result
        if gone.done():
            raise ClientGoneError("the client went away")
        raise TimeLimitError(
            f"this took longer than {seconds:g} seconds", hint="ask for less at once"
        )
    finally:
        result.cancel()
        gone.cancel()


async def _gone(request: AnyRequest) -> None:
    """Return when the client has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
