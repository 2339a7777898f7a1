"""The server in processes of its own: starting, stopping, several workers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

PATIENCE = 120.0
"""Seconds that a busy machine may need for anything here."""


@contextmanager
def running(folder: Path, **server: str) -> Iterator[tuple["subprocess.Popen[str]", httpx.Client]]:
    """Yield a server's process and a client of it, once it is ready."""
    settings = [f"{name}={value}" for name, value in server.items()]
    command = [sys.executable, "-m", "tests.entrypoints.http.server_process", str(folder)]
    with subprocess.Popen([*command, *settings], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            url = process.stdout.readline().strip()
            with httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False) as client:
                _until(lambda: client.get("/v1/health/ready").status_code == 200)
                yield process, client
        finally:
            process.kill()


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def _refused(url: httpx.URL) -> bool:
    try:
        httpx.get(url, timeout=PATIENCE, trust_env=False)
    except httpx.ConnectError:
        return True
    except httpx.HTTPError:
        return False
    return False


def test_a_stopping_server_takes_no_more_and_finishes_what_it_began(tmp_path: Path) -> None:
    with running(tmp_path) as (process, client), ThreadPoolExecutor(1) as clients:
        answer = clients.submit(client.get, "/slow")
        _until((tmp_path / "begun").exists)
        process.send_signal(signal.SIGTERM)
        _until(lambda: _refused(client.base_url.join("/v1/health/live")))
        (tmp_path / "go").touch()
        assert answer.result(PATIENCE).text == "finished"
        process.wait(PATIENCE)
    assert process.returncode in {0, -signal.SIGTERM}


def test_a_server_stops_although_work_never_ends(tmp_path: Path) -> None:
    """The gallery is closed before the process leaves the work behind."""
    with running(tmp_path, stop_seconds="0.5") as (process, client), ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.get, "/slow")
        _until((tmp_path / "begun").exists)
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
        assert process.returncode == 1
        assert not (tmp_path / "finished").exists()
        assert not _succeeded(answer)


def _succeeded(answer: Future[httpx.Response]) -> bool:
    try:
        return answer.result(PATIENCE).is_success
    except httpx.HTTPError:  # the connection was cut
        return False


def test_an_interrupt_stops_it_too(tmp_path: Path) -> None:
    with running(tmp_path) as (process, _):
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)


def test_several_workers_share_one_port_and_one_that_dies_is_replaced(tmp_path: Path) -> None:
    """All end with their parent."""
    with running(tmp_path, workers="2") as (process, client):
        url = client.base_url.join("/who")
        first = _workers(url, 2)
        assert process.pid not in first
        victim = first.pop()
        os.kill(victim, signal.SIGKILL)
        assert _workers(url, 2, besides={victim}) > first
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
        assert _refused(url)


def _workers(url: httpx.URL, count: int, besides: Collection[int] = ()) -> set[int]:
    """Return the processes that answer, once there are so many."""
    seen: set[int] = set()

    def ask() -> bool:
        try:
            seen.add(int(httpx.get(url, timeout=PATIENCE, trust_env=False).text))
        except httpx.HTTPError:
            return False
        return len(seen.difference(besides)) == count

    _until(ask)
    return seen.difference(besides)


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    with running(tmp_path, workers="2") as (process, client):
        process.kill()
        process.wait(PATIENCE)
        _until(lambda: _refused(client.base_url.join("/v1/health/live")))
