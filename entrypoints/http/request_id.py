"""Around every request: its id, in the answer and in every line that is logged."""

import re
import time
import uuid
from collections.abc import MutableMapping
from typing import Any

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

_KEY = "facecv_request_id"
_HEADER = b"x-request-id"
_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def request_id(scope: Scope) -> str:
    """Return the id of a request: the client's if it is short and plain, else a new UUID."""
    # The same mapping goes through all of ASGI, so this is where later readers find it.
    place: MutableMapping[str, Any] = scope  # type: ignore[assignment]
    if _KEY not in place:
        sent = dict(scope["headers"]).get(_HEADER, b"").decode("latin-1")
        place[_KEY] = sent if _SANE.fullmatch(sent) else str(uuid.uuid4())
    return str(place[_KEY])


class RequestIds:
    """An ASGI application around another: gives every answer an ``X-Request-Id``, and logs it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        own, started, status = request_id(scope), time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (_HEADER, own.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=own):
            try:
                await self._app(scope, receive, sending)
            finally:
                took = round((time.perf_counter() - started) * 1000, 1)
                structlog.get_logger().info(
                    "request", method=scope["method"], path=scope["path"], status=status, ms=took
                )
