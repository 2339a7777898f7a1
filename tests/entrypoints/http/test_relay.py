"""Requests that one worker hands to another; both are in this process."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from facecv.entrypoints.http.relay import RELAYED, Relay
from facecv.entrypoints.http.worker_group import Worker, WorkerGroup
from facecv.entrypoints.http.worker_port import reachable
from facecv.entrypoints.http.workers import STREAMS, Workers

ONE, OTHER = "1" * 8, "2" * 8
App = Callable[[Any, Any, Any], Awaitable[None]]


def telling(name: str, seen: list[Any]) -> App:
    """Return an application that answers with its name and the body that it got."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message.get("more_body", False)
        headers = [(b"x-name", name.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


@pytest.fixture
def group(tmp_path: Path) -> WorkerGroup:
    return WorkerGroup(tmp_path, "secret")


@asynccontextmanager
async def asking(group: WorkerGroup, app: App) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of the worker ONE."""
    workers = Workers(ONE, group)
    transport = httpx.ASGITransport(Relay(app, workers), client=("10.9.8.7", 1))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        yield client
    await workers.close()


def test_jobs_and_streams_are_asked_where_they_are(group: WorkerGroup) -> None:
    """With body, query and headers as they came; everything else stays."""
    seen: list[Any] = []

    async def main() -> None:
        async with (
            reachable(telling("other", seen), group, OTHER, dict),
            asking(group, telling("one", [])) as client,
        ):
            body = b"x" * 300_000
            group.take_on(STREAMS, OTHER)
            for path in (f"/v1/jobs/{OTHER}{'0' * 16}", "/v1/streams/a%2Fb?limit=1&x=%20y"):
                answer = await client.post(path, content=body, headers={"X-API-Key": "mine"})
                assert (answer.status_code, answer.headers["x-name"]) == (201, "other")
                assert answer.content == body
            for path in (f"/v1/jobs/{ONE}{'0' * 16}", "/v1/jobs", "/v1/streamsx", "/v1/jobs/%00"):
                assert (await client.get(path)).headers["x-name"] == "one"

    asyncio.run(main())
    scope = seen[-1]
    assert (scope["raw_path"], scope["query_string"]) == (b"/v1/streams/a%2Fb", b"limit=1&x=%20y")
    assert (scope["client"], RELAYED in scope["extensions"]) == (("10.9.8.7", 0), True)
    headers = dict(scope["headers"])
    assert (headers[b"host"], headers[b"x-api-key"]) == (b"server", b"mine")


def test_the_port_is_for_workers_only(group: WorkerGroup) -> None:
    """Who does not know the secret gets nothing."""
    seen: list[Any] = []

    async def main() -> None:
        async with reachable(telling("other", seen), group, OTHER, dict):
            worker = group.worker(OTHER)
            assert worker is not None
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{worker.port}") as client:
                for headers in ({}, {"x-facecv-worker": "guess"}):
                    for path in ("/facts", "/v1/streams"):
                        answer = await client.get(path, headers=headers)
                        assert (answer.status_code, answer.content) == (403, b"")
        assert group.worker(OTHER) is None

    asyncio.run(main())
    assert seen == []


def test_a_worker_that_does_not_answer_is_told(group: WorkerGroup) -> None:
    """As something that passes, and in the shape of all errors."""

    async def main() -> httpx.Response:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        with group.joined(Worker(OTHER, 1, port)):
            async with asking(group, telling("one", [])) as client:
                return await client.get(f"/v1/jobs/{OTHER}{'0' * 16}")

    answer = asyncio.run(main())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["error"]["code"] == "not_ready"
    assert answer.json()["request_id"]


def test_who_waits_no_more_is_noticed_by_the_worker_that_works(group: WorkerGroup) -> None:
    """The connection between the workers ends with that of the client."""
    heard: list[str] = []

    async def main() -> None:
        asked, over = asyncio.Event(), asyncio.Event()

        async def slow(_: Any, receive: Any, __: Any) -> None:
            await receive()
            asked.set()
            heard.append((await receive())["type"])
            over.set()

        async with (
            reachable(slow, group, OTHER, dict),
            asking(group, telling("one", [])) as client,
        ):
            waiting = asyncio.create_task(client.get(f"/v1/jobs/{OTHER}{'0' * 16}"))
            await asyncio.wait_for(asked.wait(), 20)
            waiting.cancel()
            await asyncio.wait_for(over.wait(), 20)

    asyncio.run(main())
    assert heard == ["http.disconnect"]


def test_a_worker_that_is_gone_is_forgotten(group: WorkerGroup) -> None:
    """Whoever holds no lock is not there, whatever was written down; nobody's id finds a file."""
    with group.joined(Worker(ONE, 1, 2)):
        assert group.workers() == [Worker(ONE, 1, 2)]
        (group.folder / f"{OTHER}.worker").write_bytes(
            (group.folder / f"{ONE}.worker").read_bytes()
        )
        assert [worker.id for worker in group.workers()] == [ONE]
        assert not (group.folder / f"{OTHER}.worker").exists()
    assert group.workers() == []
    for nonsense in ("", "../../ab", "\0" * 8, "x" * 8):
        assert group.worker(nonsense) is None
    group.take_on(STREAMS, OTHER)
    assert group.holder(STREAMS) is None
