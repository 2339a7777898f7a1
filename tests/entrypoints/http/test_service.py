"""Limits, identifiers, and work off the event loop."""

import asyncio
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import structlog
from litestar import get

from facecv.core.errors import OverloadedError, TimeLimitError
from facecv.core.services.work import WorkPool
from facecv.entrypoints.api import Engine
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.service import ClientGoneError, ServiceParam
from facecv.plugins import hookimpl
from tests.entrypoints.http.served import (
    PNG,
    Client,
    config_in,
    engine_of,
    open_client,
    picture,
    service_of,
)

FACE = picture((20, 30, 80, 10))


class Working:
    """A plugin whose route ``/work`` runs `task` in the pool; ``/letters`` streams."""

    def __init__(self, task: Callable[[], Any]) -> None:
        self.task = task

    @hookimpl
    def facecv_http(self, routes: list[Any], engine: Engine) -> None:
        @get("/work")
        async def work(request: AnyRequest, service: ServiceParam) -> str:
            return str(await service.run(request, self.task))

        @get("/letters")
        async def letters(request: AnyRequest, service: ServiceParam) -> list[str]:
            return [each async for each in service.stream(request, self.task(), at_once=2)]

        routes += [work, letters]


class TestRequestIds:
    def test_a_sane_one_is_kept(self, client: Client) -> None:
        answer = client.get("/v1/health/live", headers={"X-Request-Id": "Camera-7.frame_3"})
        assert answer.headers["X-Request-Id"] == "Camera-7.frame_3"

    @pytest.mark.parametrize("sent", [None, "", "a b", "x" * 65, "<script>", "-x", "é"])
    def test_anything_else_is_replaced(self, client: Client, sent: str | None) -> None:
        headers = {} if sent is None else {b"X-Request-Id": sent.encode("latin-1")}
        answer = client.get("/v1/health/live", headers=headers)
        assert uuid.UUID(answer.headers["X-Request-Id"]).version == 4

    def test_it_is_in_the_answer_s_body_and_in_every_line_of_the_log(self, tmp_path: Path) -> None:
        def task() -> str:
            structlog.get_logger().warning("from a thread")
            return "done"

        lines: list[dict[str, Any]] = []

        def keep(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
            lines.append(dict(event))
            raise structlog.DropEvent

        with open_client(tmp_path, None, Working(task)) as client:
            structlog.configure(processors=[structlog.contextvars.merge_contextvars, keep])
            headers = {"X-Request-Id": "mine"}
            client.get("/work", headers=headers)
            body = client.post("/v1/detect", files={"image": FACE}, headers=headers).json()
            structlog.reset_defaults()
        assert body["request_id"] == "mine"
        assert [line["request_id"] for line in lines] == ["mine"] * len(lines)
        assert {line["event"] for line in lines} == {"from a thread", "request"}


class TestLimits:
    @pytest.mark.parametrize(
        ("limits", "code"),
        [
            ({"body_bytes": 500}, "body_too_large"),
            ({"image_bytes": 500}, "image_too_large"),
            ({"image_pixels": 10_000}, "image_too_large"),
        ],
    )
    @pytest.mark.parametrize("way", ["raw", "form"])
    def test_too_large(self, tmp_path: Path, limits: dict[str, int], code: str, way: str) -> None:
        assert len(FACE) > 500
        with open_client(tmp_path, {"limits": limits}) as client:
            if way == "raw":
                answer = client.post("/v1/detect", content=FACE, headers=PNG)
            else:
                answer = client.post("/v1/detect", files={"image": FACE})
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, code)

    def test_more_pictures_than_allowed(self, tmp_path: Path) -> None:
        with open_client(tmp_path, {"limits": {"images": 1}}) as client:
            answer = client.post("/v1/verify", files={"one": FACE, "other": FACE})
        assert answer.status_code == 413

    @pytest.mark.parametrize("asked", ["0", "2", "50"])
    def test_no_more_faces_than_allowed(self, tmp_path: Path, asked: str) -> None:
        many = picture((10, 10, 50, 1), (100, 10, 60, 2), (200, 10, 70, 3))
        with open_client(tmp_path, {"limits": {"faces": 2}}) as client:
            answer = client.post("/v1/detect", params={"max_faces": asked}, files={"image": many})
        assert len(answer.json()["faces"]) == 2

    def test_requests_of_a_key_are_counted(self, tmp_path: Path) -> None:
        with open_client(tmp_path, {"limits": {"requests_per_minute": 2}}) as client:
            statuses = [client.get("/v1/system").status_code for _ in range(3)]
            refused = client.get("/v1/system")
            assert client.get("/v1/health/live").status_code == 200
            _, secret = service_of(client).access.keys.create("other")
            other = client.get("/v1/system", headers={"X-API-Key": secret})
        assert statuses == [200, 200, 429]
        assert refused.json()["error"]["code"] == "rate_limited"
        later = int(refused.headers["Retry-After"])
        assert 0 < later <= 60
        assert refused.json()["error"]["details"] == {"retry_after": later}
        assert refused.headers["RateLimit-Limit"] == "2"
        assert other.status_code == 200

    def test_a_request_that_takes_too_long(self, tmp_path: Path) -> None:
        gate = threading.Event()
        with open_client(tmp_path, {"limits": {"seconds": 0.2}}, Working(gate.wait)) as client:
            answer = client.get("/work")
            gate.set()
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "time_limit")
        assert "Retry-After" in answer.headers


class TestQueue:
    def test_a_full_queue_refuses_and_then_works_again(self, tmp_path: Path) -> None:
        gate = threading.Event()
        settings = {"threads": 1, "queue": 1}
        with (
            open_client(tmp_path, settings, Working(gate.wait)) as client,
            ThreadPoolExecutor(2) as clients,
        ):
            pool = service_of(client).pool
            waiting = [clients.submit(client.get, "/work") for _ in range(2)]
            _until(lambda: pool.busy == 2)
            refused = client.get("/work")
            gate.set()
            assert [each.result().status_code for each in waiting] == [200, 200]
            assert client.get("/work").status_code == 200
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "overloaded")
        assert int(refused.headers["Retry-After"]) >= 1

    def test_health_answers_although_the_queue_is_full(self, tmp_path: Path) -> None:
        gate = threading.Event()
        settings = {"threads": 1, "queue": 0}
        with (
            open_client(tmp_path, settings, Working(gate.wait)) as client,
            ThreadPoolExecutor(1) as clients,
        ):
            working = clients.submit(client.get, "/work")
            _until(lambda: service_of(client).pool.busy == 1)
            assert client.get("/v1/health/ready").status_code == 200
            gate.set()
            working.result()


class _Connection:
    """As much of a request as the service needs: when its client goes away."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}


class TestClientsThatGo:
    """Without a server: what happens to the work."""

    @pytest.fixture
    def engine(self, tmp_path: Path) -> Engine:
        return engine_of(config_in(tmp_path, {"threads": 1, "limits": {"seconds": 20}}))

    def test_work_that_waits_is_dropped(self, engine: Engine) -> None:
        from facecv.entrypoints.http.app import make_service

        service = make_service(engine, engine.config.server)
        gate, ran = threading.Event(), []

        async def scenario() -> None:
            running: Any = asyncio.create_task(service.run(_Connection(), gate.wait))  # type: ignore[arg-type]
            connection = _Connection()
            waiting = asyncio.create_task(service.run(connection, lambda: ran.append(1)))  # type: ignore[arg-type]
            while service.pool.busy < 2:
                await asyncio.sleep(0.01)
            connection.gone.set()
            with pytest.raises(ClientGoneError):
                await waiting
            assert service.pool.busy == 1
            gate.set()
            assert await running

        asyncio.run(scenario())
        service.pool.close()
        assert ran == []

    def test_work_of_a_request_that_is_cancelled_is_dropped(self, engine: Engine) -> None:
        from facecv.entrypoints.http.app import make_service

        service = make_service(engine, engine.config.server)
        gate, ran = threading.Event(), []

        async def scenario() -> None:
            running: Any = asyncio.create_task(service.run(_Connection(), gate.wait))  # type: ignore[arg-type]
            waiting = asyncio.create_task(service.run(_Connection(), lambda: ran.append(1)))  # type: ignore[arg-type]
            while service.pool.busy < 2:
                await asyncio.sleep(0.01)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            gate.set()
            assert await running

        asyncio.run(scenario())
        service.pool.close()
        assert ran == []


class TestStreams:
    def test_a_blocking_iterator_is_drained_in_the_pool(self, tmp_path: Path) -> None:
        threads = set()

        def letters() -> Iterator[str]:
            for letter in "abcde":
                threads.add(threading.current_thread().name)
                yield letter

        with open_client(tmp_path, None, Working(letters)) as client:
            assert client.get("/letters").json() == list("abcde")
        assert all(name.startswith("facecv-work") for name in threads)


def test_a_plugin_that_fails_is_left_out(tmp_path: Path) -> None:
    class Broken:
        @hookimpl
        def facecv_http(self, routes: list[Any]) -> None:
            raise RuntimeError("broken")

    with open_client(tmp_path, None, Broken(), Working(lambda: "fine")) as client:
        assert client.get("/work").text == "fine"


def test_errors_of_the_pool_are_errors_of_ours() -> None:
    assert issubclass(TimeLimitError, TimeoutError)
    pool = WorkPool(1, 0)
    pool.close()
    with pytest.raises(OverloadedError):
        pool.submit(lambda: 1)


def _until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(2000):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("it never came to that")
