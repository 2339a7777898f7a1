"""A server of two workers is one server: whichever is asked, the answer is of the whole."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from facecv.entrypoints.keys import KeyFile
from tests.entrypoints.http.served import PNG, picture
from tests.entrypoints.http.test_processes import PATIENCE, running

FACE = picture((100, 100, 112, 40))
OVER = {"done", "failed", "cancelled"}


@attrs.frozen
class Pair:
    """A server of two workers.

    Attributes:
        folder: of its files.
        process: the parent of the workers.
        url: where it is reached.
        headers: of all requests.
    """

    folder: Path
    process: "subprocess.Popen[str]"
    url: httpx.URL
    headers: dict[str, str] = attrs.field(factory=dict)

    @contextmanager
    def each(self) -> Iterator[tuple[httpx.Client, httpx.Client]]:
        """Yield a client of one worker, and one of the other; one request at a time."""
        found: dict[int, httpx.Client] = {}
        with ExitStack() as stack:
            while len(found) < 2:
                client = stack.enter_context(self._client())
                with suppress(httpx.HTTPError):
                    found.setdefault(process_of(client), client)
            one, other = found.values()
            until(lambda: len(one.get("/v1/system").json()["workers"]) == 2)
            yield one, other

    @contextmanager
    def answer(self, worker: httpx.Client, path: str) -> Iterator[Iterator[bytes]]:
        """Yield the parts of an answer of the same worker, over a connection of its own."""
        with ExitStack() as stack:
            client = stack.enter_context(self._client())
            while process_of(client) != process_of(worker):
                client = stack.enter_context(self._client())
            yield stack.enter_context(client.stream("GET", path)).iter_bytes()

    def watching(self) -> int:
        """Return the process that watches the streams."""
        (folder,) = (self.folder / "state").glob("server-*")
        worker = (folder / "streams.task").read_text()
        return int(json.loads((folder / f"{worker}.worker").read_bytes())["pid"])

    def _client(self) -> httpx.Client:
        """Return a client with one connection, which stays with the worker that took it."""
        limits = httpx.Limits(max_connections=1, keepalive_expiry=None)
        return httpx.Client(
            base_url=self.url,
            timeout=PATIENCE,
            trust_env=False,
            headers=self.headers,
            limits=limits,
        )


def process_of(client: httpx.Client) -> int:
    """Return the id of the process that answers."""
    return int(client.get("/who").text)


def until(condition: Callable[[], Any]) -> Any:
    """Return what a condition says as soon as it is true."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)
    return found


@contextmanager
def pair_in(folder: Path, **server: str) -> Iterator[Pair]:
    with running(folder, workers="2", **server) as (process, client):
        yield Pair(folder, process, client.base_url)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with pair_in(tmp_path_factory.mktemp("pair")) as pair:
        yield pair


@pytest.fixture
def both(pair: Pair) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    with pair.each() as both:
        yield both


Both = tuple[httpx.Client, httpx.Client]


class TestJobs:
    """A job may be asked for anywhere."""

    @pytest.fixture
    def go(self, pair: Pair) -> Iterator[Path]:
        """Return the file that lets jobs end."""
        yield pair.folder / "go"
        (pair.folder / "go").unlink(missing_ok=True)

    def test_progress_result_and_list(self, both: Both, go: Path) -> None:
        one, other = both
        began = one.post("/job")
        assert began.status_code == 202, began.text
        url, identity = began.headers["Location"], began.json()["job"]["id"]
        half = until(lambda: (job := _job(other, url))["progress"]["done"] and job)
        assert (half["state"], half["progress"]["note"]) == ("running", "half of it")
        for client in both:
            listed = client.get("/v1/jobs").json()["jobs"]
            assert listed[0]["id"] == identity
        go.touch()
        done = until(lambda: (job := _job(other, url))["state"] in OVER and job)
        assert done["result"] == {"process": process_of(one)}
        assert _job(one, url) == done

    def test_calling_off(self, both: Both) -> None:
        one, other = both
        url = one.post("/job").headers["Location"]
        assert other.delete(url).status_code == 200
        assert until(lambda: (job := _job(other, url))["state"] in OVER and job["state"])
        assert _job(one, url)["state"] == "cancelled"

    def test_one_of_nobody_is_lost(self, both: Both) -> None:
        for client in both:
            assert client.get(f"/v1/jobs/{'0' * 24}").status_code == 410
            assert client.get("/v1/jobs/nonsense").status_code == 404


def _job(client: httpx.Client, url: str) -> dict[str, Any]:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()["job"]
    return job


class TestModels:
    """What one worker loads, unloads or switches, the other does too."""

    @pytest.fixture(autouse=True)
    def _as_before(self, both: Both) -> Iterator[None]:
        yield
        one, other = both
        _switch(one, "world")
        until(lambda: _default(other) == "world")

    def test_switching_there_and_back(self, both: Both) -> None:
        one, other = both
        for client, name in ((one, "other"), (other, "world"), (other, "other")):
            assert _switch(client, name).status_code == 200
            assert _default(client) == name
            for each in both:
                until(lambda: _default(each) == name)  # noqa: B023 - called at once

    def test_the_last_of_many_switches_holds(self, both: Both) -> None:
        """Whoever made it, all end with the same default."""
        threads = [
            threading.Thread(target=lambda: [_switch(client, n) for n in names])  # noqa: B023
            for client, names in zip(
                both, (("other", "world") * 5, ("world", "other") * 5), strict=True
            )
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        until(lambda: len({_default(client) for client in both}) == 1)

    def test_loading_and_unloading(self, both: Both) -> None:
        one, other = both
        choice = {"kind": "recognition", "model": "other"}
        for action, state in (("load", "ready"), ("unload", "absent")):
            assert one.post(f"/v1/models/{action}", json=choice).status_code == 200
            until(lambda: _models(other)["other"]["state"] == state)  # noqa: B023 - called at once

    def test_one_that_cannot_follow_says_so_and_stays(self, pair: Pair, both: Both) -> None:
        one, other = both
        sick = process_of(other)
        (pair.folder / f"sick-{sick}").touch()
        assert _switch(one, "other").status_code == 200

        def problems(client: httpx.Client) -> dict[int, list[str]]:
            workers = client.get("/v1/system").json()["workers"]
            return {worker["pid"]: worker["problems"] for worker in workers}

        until(lambda: problems(one)[sick])
        (problem,) = problems(other)[sick]
        assert problem == "switch recognition other: this worker is sick"
        assert problems(other)[process_of(one)] == []
        assert (_default(one), _default(other)) == ("other", "world")
        assert _space(other) == "world"
        (pair.folder / f"sick-{sick}").unlink()
        _switch(one, "other")
        until(lambda: _default(other) == "other")
        assert problems(one)[sick] == []


def _switch(client: httpx.Client, name: str) -> httpx.Response:
    choice = {"kind": "recognition", "model": name, "keep": True}
    return client.post("/v1/models/switch", json=choice)


def _models(client: httpx.Client) -> dict[str, dict[str, Any]]:
    loaded = client.get("/v1/models").json()["loaded"]
    return {each["name"]: each for each in loaded if each["kind"] == "recognition"}


def _default(client: httpx.Client) -> str:
    (name,) = (name for name, each in _models(client).items() if each["default"])
    return name


def _space(client: httpx.Client) -> str:
    (face,) = client.post("/v1/embed", content=FACE, headers=PNG).json()["faces"]
    return str(face["embedding"]["space"]["model"])


class TestFigures:
    """Counted is what all workers did."""

    def test_performance(self, both: Both) -> None:
        def count(client: httpx.Client) -> int:
            answer = client.get("/v1/performance").json()
            assert answer["workers"] == 2
            return int(answer["stages"].get("detect", {"count": 0})["count"])

        before = count(both[0])
        for client, times in zip(both, (2, 3), strict=True):
            for _ in range(times):
                assert client.post("/v1/detect", content=FACE, headers=PNG).status_code == 200
        assert [count(client) - before for client in both] == [5, 5]
        assert both[0].get("/v1/performance").json()["work"]["threads"] % 2 == 0

    def test_prometheus(self, both: Both) -> None:
        def figures(client: httpx.Client) -> dict[str, float]:
            lines = client.get("/metrics").text.splitlines()
            pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
            return {name: float(value) for name, value in pairs}

        stage = 'facecv_stage_seconds_count{model="",stage="decode"}'
        before = figures(both[0]).get(stage, 0)
        for client in both:
            client.post("/v1/detect", content=FACE, headers=PNG)
        for client in both:
            found = figures(client)
            assert found[stage] == before + 2
            assert found["facecv_workers"] == 2
            assert found['facecv_model_loaded{kind="recognition",model="world"}'] == 2
            assert any('path="/v1/detect"' in name for name in found)

    def test_errors(self, both: Both) -> None:
        """The newest first, whichever worker could not answer."""
        for number, client in enumerate(both):
            headers = {"X-Request-Id": f"failed-{number}"}
            assert client.delete("/v1/models/packs/nano", headers=headers).status_code == 503
        for client in both:
            errors = client.get("/v1/system").json()["recent_errors"]
            assert [each["request_id"] for each in errors[:2]] == ["failed-1", "failed-0"]


class TestStreams:
    """One worker watches; any answers."""

    @pytest.fixture
    def stream(self, both: Both) -> Iterator[str]:
        """Return the path of a stream of pushed frames."""
        until(lambda: both[0].get("/v1/streams").status_code == 200)
        body = {"name": "door", "address": "push:gate"}
        answer = both[0].post("/v1/streams", json=body)
        assert answer.status_code == 201, answer.text
        yield f"/v1/streams/{answer.json()['stream']['id']}"
        assert both[1].delete(f"/v1/streams/{answer.json()['stream']['id']}").status_code == 204
        assert both[0].get("/v1/streams").json()["streams"] == []

    def test_everything_about_a_stream(self, both: Both, stream: str) -> None:
        for client in both:
            _push(client, stream)
            (listed,) = client.get("/v1/streams").json()["streams"]
            assert listed["name"] == "door"
            assert (
                client.post("/v1/streams", json={"name": "door", "address": "push:x"}).status_code
                == 409
            )
        states = [client.get(f"{stream}/state").json()["state"] for client in both]
        assert [state["state"] for state in states] == ["running", "running"]
        assert states[0]["frames"] == states[1]["frames"] >= 2
        until(lambda: both[0].get("/v1/events").json()["events"])
        one, other = (client.get("/v1/events").json()["events"] for client in both)
        assert one == other
        assert [each["kind"] for each in one].count("source.up") == 1
        for client in both:
            missing = client.get("/v1/streams/nobody")
            assert (missing.status_code, missing.json()["error"]["code"]) == (
                404,
                "stream_not_found",
            )

    def test_following_and_looking(self, pair: Pair, both: Both, stream: str) -> None:
        """Whichever worker a client is connected to; a client that goes is noticed."""
        for client in both:
            for enabled in (False, True):
                assert client.patch(stream, json={"enabled": enabled}).status_code == 200
            with ExitStack() as stack:
                events, pictures = (
                    stack.enter_context(pair.answer(client, path))
                    for path in ("/v1/events/stream", f"{stream}/preview.mjpeg")
                )
                assert next(events).startswith(b": events follow")
                assert next(pictures) == b"--frame\r\n"
                _push(client, stream)
                assert b"image/jpeg" in next(pictures)
                assert any(b"source.up" in part for part in events)


def _push(client: httpx.Client, stream: str) -> None:
    def pushed() -> bool:
        answer = client.post(f"{stream}/frames", content=FACE, headers=PNG)
        return answer.status_code == 202

    until(pushed)


def test_a_worker_that_is_killed_takes_only_its_own_along(tmp_path: Path) -> None:
    """Its jobs are lost, its streams go on elsewhere, and its successor has today's models."""
    with pair_in(tmp_path) as pair:
        with pair.each() as both:
            until(lambda: both[0].get("/v1/streams").status_code == 200)
            body = {"name": "door", "address": "push:gate"}
            made = both[0].post("/v1/streams", json=body).json()["stream"]
            jobs = {process_of(c): c.post("/job").headers["Location"] for c in both}
            _switch(both[0], "other")
            victim = pair.watching()
            lost = jobs.pop(victim)
            (survivor,) = jobs
            os.kill(victim, signal.SIGKILL)
        with pair.each() as both:
            assert survivor in {process_of(client) for client in both}
            for client in both:
                assert client.get(lost).status_code == 410
                assert _job(client, jobs[survivor])["state"] == "running"
                until(lambda: _default(client) == "other")  # noqa: B023 - called at once
                _push(client, f"/v1/streams/{made['id']}")
            (tmp_path / "go").touch()
        pair.process.send_signal(signal.SIGTERM)
        pair.process.wait(PATIENCE)
    assert list((tmp_path / "state").iterdir()) == []


def test_rates_are_counted_over_all_workers(tmp_path: Path) -> None:
    """Also where one worker hands a request to the other."""
    _, secret = KeyFile(tmp_path / "keys.json").create("camera", "admin")
    limits = json.dumps({"requests_per_minute": 60})
    with pair_in(tmp_path, limits=limits) as pair:
        keyed = attrs.evolve(pair, headers={"X-API-Key": secret})
        with keyed.each() as both:
            statuses = [
                client.get(path).status_code
                for _ in range(25)
                for client in both
                for path in ("/v1/system", "/v1/streams")
            ]
    assert statuses[0] == 200
    assert 429 in statuses
    assert statuses.index(429) <= 60
    assert set(statuses[statuses.index(429) :]) == {429}


def test_it_stops_although_somebody_looks(tmp_path: Path) -> None:
    """At both workers, and long before the time that work in flight may take."""
    with pair_in(tmp_path, stop_seconds="60") as pair, pair.each() as both, ExitStack() as stack:
        until(lambda: both[0].get("/v1/streams").status_code == 200)
        body = {"name": "door", "address": "push:gate"}
        made = both[0].post("/v1/streams", json=body).json()["stream"]
        answers = [
            stack.enter_context(pair.answer(client, path))
            for client in both
            for path in ("/v1/events/stream", f"/v1/streams/{made['id']}/preview.mjpeg")
        ]
        assert all(next(each) for each in answers)
        pair.process.send_signal(signal.SIGTERM)
        pair.process.wait(30)


def test_one_worker_stops_although_somebody_looks(tmp_path: Path) -> None:
    """At a stream that the other one goes on watching."""
    with pair_in(tmp_path, stop_seconds="60") as pair, pair.each() as both:
        until(lambda: both[0].get("/v1/streams").status_code == 200)
        body = {"name": "door", "address": "push:gate"}
        made = both[0].post("/v1/streams", json=body).json()["stream"]
        (other,) = (client for client in both if process_of(client) != pair.watching())
        with pair.answer(other, f"/v1/streams/{made['id']}/preview.mjpeg") as pictures:
            assert next(pictures) == b"--frame\r\n"
            began = time.monotonic()
            os.kill(process_of(other), signal.SIGTERM)
            assert list(pictures) == []
            assert time.monotonic() - began < 30
