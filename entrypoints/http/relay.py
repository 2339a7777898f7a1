"""Handing requests to the worker that holds what they are about: a job, or the streams."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpx
import msgspec
import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from facecv.core.errors import NotReadyError
from facecv.core.services.jobs import BOOT_DIGITS
from facecv.entrypoints.http.errors import ErrorAnswer, error_body
from facecv.entrypoints.http.request_id import request_id
from facecv.entrypoints.http.worker_group import Worker
from facecv.entrypoints.http.workers import CLIENT_HEADER, SECRET_HEADER, STREAMS, Workers

RELAYED = "facecv.relayed"
"""The extension in the scope of a request that another worker handed over."""
_Headers = list[tuple[bytes, bytes]]
_OF_A_HOP = {
    *("connection", "date", "expect", "keep-alive", "te", "trailer", "transfer-encoding"),
    *("upgrade", "x-request-id", SECRET_HEADER, CLIENT_HEADER),
}
"""Headers that are of one connection only, or that every server adds for itself."""


class Relay:
    """An ASGI application around another, in each worker of a server that has several."""

    def __init__(self, app: ASGIApp, workers: Workers) -> None:
        self._app, self._workers = app, workers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection, here or elsewhere."""
        if scope["type"] == ScopeType.HTTP and RELAYED not in (scope.get("extensions") or {}):
            worker = await self._holder(scope["path"])
            if worker is not None:
                await self._hand_over(worker, scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _holder(self, path: str) -> Worker | None:
        """Return the other worker that a request is for; None: it is for this one."""
        match path.strip("/").split("/"):
            case ["v1", "jobs", job]:
                return await asyncio.to_thread(self._workers.other, job[:BOOT_DIGITS])
            case ["v1", "streams", *_]:
                return await asyncio.to_thread(self._workers.holder, STREAMS)
        return None

    async def _hand_over(
        self, worker: Worker, scope: HTTPScope, receive: Receive, send: Send
    ) -> None:
        """Let another worker answer, for as long as the client waits for that."""
        inbox, answer = _Inbox(receive, _has_body(scope)), _Answer(send)
        passing = asyncio.create_task(self._pass_on(worker, scope, inbox, answer))
        gone = asyncio.create_task(inbox.gone())
        if scope["path"].endswith("/preview.mjpeg"):
            self._workers.endless.add(passing)
        try:
            await asyncio.wait({passing, gone}, return_when=asyncio.FIRST_COMPLETED)
            if passing.done():
                await answer.end(_problem(passing), request_id(scope))
        finally:
            self._workers.endless.discard(passing)
            passing.cancel()
            gone.cancel()
            await asyncio.gather(passing, gone, return_exceptions=True)

    async def _pass_on(
        self, worker: Worker, scope: HTTPScope, inbox: "_Inbox", answer: "_Answer"
    ) -> None:
        client = scope["client"][0] if scope["client"] else ""
        own = {
            **self._workers.headers(),
            CLIENT_HEADER: client,
            "x-request-id": request_id(scope),
        }
        headers = [(name.encode(), value.encode()) for name, value in own.items()]
        request = httpx.Request(
            scope["method"],
            _url(worker, scope),
            headers=[*_passed(scope["headers"]), *headers],
            content=inbox.body() if inbox.has_body else None,
        )
        response = await self._workers.client.send(request, stream=True)
        try:
            await answer.begin(response.status_code, _passed(response.headers.raw))
            async for part in response.aiter_raw():
                await answer.add(part)
        finally:
            await response.aclose()


class _Inbox:
    """What a client sends: a body, perhaps, and at some time that it has gone."""

    def __init__(self, receive: Receive, has_body: bool) -> None:
        self._receive, self.has_body = receive, has_body
        self._read = asyncio.Event()
        if not has_body:
            self._read.set()

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the body."""
        more = True
        while more:
            message: Any = await self._receive()
            if message["type"] == "http.disconnect":
                raise httpx.ReadError("the client went away")
            yield message["body"]
            more = message["more_body"]
        self._read.set()

    async def gone(self) -> None:
        """Return when the client has closed the connection."""
        await self._read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass


class _Answer:
    """The answer that a client gets."""

    def __init__(self, send: Send) -> None:
        self._send, self._begun = send, False

    async def begin(self, status: int, headers: _Headers) -> None:
        self._begun = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def add(self, content: bytes, *, more: bool = True) -> None:
        await self._send({"type": "http.response.body", "body": content, "more_body": more})

    async def end(self, problem: Exception | None, own: str) -> None:
        """End an answer; one that has not begun tells that the other worker is gone."""
        if not self._begun:
            log = structlog.get_logger()
            log.warning("a worker is gone", reason=type(problem).__name__, exc_info=problem)
            error = NotReadyError("the worker that held this is gone", hint="ask again")
            headers = [(b"content-type", b"application/json"), (b"retry-after", b"1")]
            await self.begin(503, headers)
            await self.add(msgspec.json.encode(ErrorAnswer(error_body(error), own)))
        elif problem is not None:
            raise problem  # the connection is cut, so that nobody takes this for all of it
        await self.add(b"", more=False)


def _problem(task: "asyncio.Task[None]") -> Exception | None:
    """Return why a task failed; what was called off has not failed."""
    failure = None if task.cancelled() else task.exception()
    return failure if isinstance(failure, Exception) else None


def _url(worker: Worker, scope: HTTPScope) -> httpx.URL:
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    path = scope["raw_path"] + query
    return httpx.URL(scheme="http", host="127.0.0.1", port=worker.port, raw_path=path)


def _has_body(scope: HTTPScope) -> bool:
    names = {name for name, _ in scope["headers"]}
    return bool(names & {b"content-length", b"transfer-encoding"})


def _passed(headers: Iterable[tuple[bytes, bytes]]) -> _Headers:
    return [each for each in headers if each[0].decode("latin-1").lower() not in _OF_A_HOP]
