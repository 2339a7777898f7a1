"""Around the life of the application: models are loaded first, work in flight is finished last."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import structlog
from litestar import Litestar

from facecv.core.services.idle import IdleUnloader
from facecv.core.services.model_desk import ModelDesk
from facecv.entrypoints.http.service import Service
from facecv.entrypoints.http.worker_facts import worker_facts
from facecv.entrypoints.http.worker_port import reachable

_LAST_SECONDS = 5.0
"""For what still runs after the server has waited for the requests; the answers are lost anyway."""


def lifespan_of(
    service: Service, abandon: Callable[[], None] | None = None
) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    """Return what happens around the life of an application.

    Args:
        service: what its routes work with.
        abandon: called at the very end if work is still running, which cannot be stopped from
            outside; None: nothing is.
    """

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        loading = asyncio.create_task(asyncio.to_thread(_load, service))
        idle = IdleUnloader(
            ModelDesk(service.engine.analyser), service.engine.config.models.idle_unload
        )
        idle.start()
        service.streams.start()
        try:
            async with _known(app, service):
                yield
        finally:
            stopping = asyncio.create_task(asyncio.to_thread(_stop, service, idle))
            await asyncio.wait({loading, stopping}, timeout=2 * _LAST_SECONDS)
            if not (loading.done() and stopping.done() and stopping.result()):
                structlog.get_logger().error("work is left behind", busy=service.pool.busy)
                if abandon is not None:
                    abandon()

    return lifespan


@asynccontextmanager
async def _known(app: Litestar, service: Service) -> AsyncIterator[None]:
    """Let other workers reach this one while the context lasts."""
    workers = service.workers
    if workers.group is None:
        yield
        return
    async with reachable(app, workers.group, workers.id, lambda: worker_facts(service)):
        yield
    await workers.close()


def _load(service: Service) -> None:
    """Load the models that are the defaults by now, and follow when these change."""
    service.models.start()
    service.readiness.warm_up()


def _stop(service: Service, idle: IdleUnloader) -> bool:
    """Stop everything that has threads, then close the gallery; return whether all work ended."""
    idle.close()
    service.models.close()
    service.jobs.close()
    ended = service.streams.close(_LAST_SECONDS / 2) & service.pool.close(_LAST_SECONDS)
    service.engine.close()
    return ended
