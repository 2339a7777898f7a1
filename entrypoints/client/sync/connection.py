"""Sending requests."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from facecv.entrypoints.client.wire import Call, check, unreachable

ResultT = TypeVar("ResultT")


class Connection:
    """A connection to a server."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:7002",
        *,
        key: str = "",
        timeout: float = 65.0,
        retries: int = 2,
        transport: httpx.BaseTransport | None = None,
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
        self._http = httpx.Client(
            base_url=url.rstrip("/"), headers=headers, timeout=timeout, transport=transport
        )

    def close(self) -> None:
        """Close the connections. May be called twice."""
        self._http.close()

    def __enter__(self) -> Self:
        """Return the client, to be closed at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the client."""
        self.close()

    def _do(self, call: Call[ResultT]) -> ResultT:
        answer = self._send(call, stream=False)
        check(answer)
        return call.read(answer)

    def _lines(self, call: Call[Any]) -> Iterator[str]:
        with self._opened(call) as answer:
            yield from answer.iter_lines()

    def _pieces(self, call: Call[Any]) -> Iterator[bytes]:
        with self._opened(call) as answer:
            yield from answer.iter_bytes()

    @contextmanager
    def _opened(self, call: Call[Any]) -> Iterator[httpx.Response]:
        """Give the answer to a call, whose body has not come yet."""
        answer = self._send(call, stream=True)
        try:
            check(answer)
            yield answer
        except httpx.HTTPError as error:
            raise unreachable(error) from error
        finally:
            answer.close()

    def _send(self, call: Call[Any], *, stream: bool) -> httpx.Response:
        attempt = 0
        while True:
            attempt += 1
            answer, broken = None, None
            try:
                request = self._http.build_request(**call.arguments())
                answer = self._http.send(request, stream=stream)
                if not answer.is_success:
                    answer.read()
            except httpx.HTTPError as error:
                broken = error
            wait = call.wait(answer, attempt, self._retries)
            if wait is None:
                if answer is None and broken is not None:
                    raise unreachable(broken) from broken
                if answer is not None:
                    return answer
            if answer is not None:
                answer.close()
            time.sleep(wait or 0.0)
