"""Sending requests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from facecv.entrypoints.client.wire import Call, check, unreachable

ResultT = TypeVar("ResultT")


class AsyncConnection:
    """A connection to a server."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:7002",
        *,
        key: str = "",
        timeout: float = 65.0,
        retries: int = 2,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Make a client; nothing is asked yet.

        Args:
            url: of the server.
            key: an API key; empty: none.
            timeout: seconds that one answer may take.
            retries: how often a request is repeated where that is safe.
            transport: httpx's, for tests.
        """
        headers = {"X-API-Key": key} if key else {}
        self._retries = retries
        self._http = httpx.AsyncClient(
            base_url=url.rstrip("/"), headers=headers, timeout=timeout, transport=transport
        )

    async def close(self) -> None:
        """Close the connections. May be called twice."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        """Return the client, to be closed at the end of the block."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the client."""
        await self.close()

    async def _do(self, call: Call[ResultT]) -> ResultT:
        answer = await self._send(call, stream=False)
        check(answer)
        return call.read(answer)

    async def _lines(self, call: Call[Any]) -> AsyncIterator[str]:
        async with self._opened(call) as answer:
            async for piece in answer.aiter_lines():
                yield piece

    async def _pieces(self, call: Call[Any]) -> AsyncIterator[bytes]:
        async with self._opened(call) as answer:
            async for piece in answer.aiter_bytes():
                yield piece

    @asynccontextmanager
    async def _opened(self, call: Call[Any]) -> AsyncIterator[httpx.Response]:
        """Give the answer to a call, whose body has not come yet."""
        answer = await self._send(call, stream=True)
        try:
            check(answer)
            yield answer
        except httpx.HTTPError as error:
            raise unreachable(error) from error
        finally:
            await answer.aclose()

    async def _send(self, call: Call[Any], *, stream: bool) -> httpx.Response:
        attempt = 0
        while True:
            attempt += 1
            answer, broken = None, None
            try:
                request = self._http.build_request(**call.arguments())
                answer = await self._http.send(request, stream=stream)
                if not answer.is_success:
                    await answer.aread()
            except httpx.HTTPError as error:
                broken = error
            wait = call.wait(answer, attempt, self._retries)
            if wait is None:
                if answer is None and broken is not None:
                    raise unreachable(broken) from broken
                if answer is not None:
                    return answer
            if answer is not None:
                await answer.aclose()
            await asyncio.sleep(wait or 0.0)
