"""Is the server there, and can it work?"""

import asyncio
from typing import Literal

import msgspec
from litestar import Controller, get, head
from litestar.openapi.datastructures import ResponseSpec

from facecv.entrypoints.http.errors import ErrorAnswer
from facecv.entrypoints.http.openapi import operation
from facecv.entrypoints.http.service import Service, ServiceParam


class Health(msgspec.Struct):
    """The answer."""

    status: Literal["live", "ready"]


class HealthController(Controller):
    """Routes for whatever watches the server; no key is needed."""

    path = "/health"
    tags = ("Health",)
    security = ({},)

    @get("/live", operation_class=operation(Health("live")))
    async def live(self) -> Health:
        """Answer as long as the process does."""
        return Health("live")

    # Every route answers errors of this shape; declared once, it is in the document.
    @get(
        "/ready",
        operation_class=operation(Health("ready")),
        responses={503: ResponseSpec(ErrorAnswer)},
    )
    async def ready(self, service: ServiceParam) -> Health:
        """Answer 200 once the models have run and while the gallery answers, else 503."""
        await _check(service)
        return Health("ready")

    @head("/live", include_in_schema=False)
    async def live_without_body(self) -> None:
        """Answer as `live` does, without a body."""

    @head("/ready", include_in_schema=False)
    async def ready_without_body(self, service: ServiceParam) -> None:
        """Answer as `ready` does, without a body."""
        await _check(service)


async def _check(service: Service) -> None:
    """Raise unless the server is ready."""
    # Beside the pool: whoever watches must not be told "overloaded" by a full queue.
    await asyncio.to_thread(service.readiness.check)
