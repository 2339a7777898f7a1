"""A server of two workers is one server: whichever is asked, the answer is of the whole."""

import json
import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path

import attrs
import httpx

from facecv.entrypoints.keys import KeyFile
from tests.entrypoints.http.served import PNG
from tests.entrypoints.http.test_processes import PATIENCE
from tests.entrypoints.http.workers import (
    FACE,
    Both,
    default_model,
    job_of,
    pair_in,
    process_of,
    push,
    switch,
    until,
)


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


def test_a_worker_that_is_killed_takes_only_its_own_along(tmp_path: Path) -> None:
    """Its jobs are lost, its streams go on elsewhere, and its successor has today's models."""
    with pair_in(tmp_path) as pair:
        with pair.each() as both:
            until(lambda: both[0].get("/v1/streams").status_code == 200)
            body = {"name": "door", "address": "push:gate"}
            made = both[0].post("/v1/streams", json=body).json()["stream"]
            jobs = {process_of(c): c.post("/job").headers["Location"] for c in both}
            switch(both[0], "other")
            victim = pair.watching()
            lost = jobs.pop(victim)
            (survivor,) = jobs
            os.kill(victim, signal.SIGKILL)
        with pair.each() as both:
            assert survivor in {process_of(client) for client in both}
            for client in both:
                assert client.get(lost).status_code == 410
                assert job_of(client, jobs[survivor])["state"] == "running"
                until(lambda: default_model(client) == "other")  # noqa: B023 - called at once
                push(client, f"/v1/streams/{made['id']}")
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
