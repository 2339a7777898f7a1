"""The port at which the other workers of a server reach this one."""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, cast

import msgspec
import uvicorn
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from facecv.entrypoints.http.relay import RELAYED
from facecv.entrypoints.http.worker_group import Worker, WorkerGroup
from facecv.entrypoints.http.workers import CLIENT_HEADER, FACTS, SECRET_HEADER

_HERE = "127.0.0.1"
_LAST_SECONDS = 5
_IDLE_SECONDS = 60
"""More than those of `Workers.client`: a connection that is closed must not be used once more."""


class WorkerPort:
    """An ASGI application for other workers: how this one stands, and what clients asked them.

    Args:
        app: the application that clients see.
        secret: what other workers show.
        facts: tells how this worker stands; may take its time.
    """

    def __init__(self, app: ASGIApp, secret: str, facts: Callable[[], object]) -> None:
        self._app, self._secret, self._facts = app, secret.encode(), facts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != ScopeType.HTTP:
            return
        headers = dict(scope["headers"])
        if not secrets.compare_digest(headers.get(SECRET_HEADER.encode(), b""), self._secret):
            await _answer(send, 403, b"")
        elif scope["path"] == FACTS:
            facts = await asyncio.to_thread(self._facts)
            await _answer(send, 200, msgspec.msgpack.encode(facts))
        else:
            await self._app(_as_the_client_asked(scope, headers), receive, send)


@asynccontextmanager
async def reachable(
    app: ASGIApp, group: WorkerGroup, identity: str, facts: Callable[[], object]
) -> AsyncIterator[None]:
    """Let other workers reach this one while the context lasts; what they began is finished.

    Args:
        app: the application that clients see.
        group: of the workers.
        identity: of this one.
        facts: tells how this worker stands.
    """
    with socket.create_server((_HERE, 0)) as listening:
        settings = uvicorn.Config(
            cast("Any", WorkerPort(app, group.secret, facts)),
            interface="asgi3",
            lifespan="off",
            ws="none",
            proxy_headers=False,
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=_LAST_SECONDS,
            timeout_keep_alive=_IDLE_SECONDS,
        )
        server = _Inner(settings)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        me = Worker(identity, os.getpid(), listening.getsockname()[1])
        try:
            with group.joined(me):
                yield
        finally:
            server.should_exit = True
            await serving


class _Inner(uvicorn.Server):
    """A server inside another one, which hears the signals for both."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


def _as_the_client_asked(scope: HTTPScope, headers: dict[bytes, bytes]) -> HTTPScope:
    """Return the scope of a request as the worker had it that handed it over."""
    client = headers.get(CLIENT_HEADER.encode(), b"").decode("latin-1")
    extensions = {**(scope.get("extensions") or {}), RELAYED: {}}
    changed = {**scope, "client": (client, 0) if client else None, "extensions": extensions}
    return cast("HTTPScope", changed)


async def _answer(send: Send, status: int, content: bytes) -> None:
    size = str(len(content)).encode()
    headers = [(b"content-length", size), (b"content-type", b"application/msgpack")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": False})
