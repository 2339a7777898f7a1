"""A server of two workers, each of which can be asked."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import attrs
import httpx

from tests.entrypoints.http.served import PNG, picture
from tests.entrypoints.http.test_processes import PATIENCE, running

FACE = picture((100, 100, 112, 40))

Both = tuple[httpx.Client, httpx.Client]
"""A client of one worker, and one of the other."""


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


def job_of(client: httpx.Client, url: str) -> dict[str, Any]:
    """Return a job, as a worker tells of it."""
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()["job"]
    return job


def switch(client: httpx.Client, name: str) -> httpx.Response:
    """Make another embedder the default."""
    choice = {"kind": "recognition", "model": name, "keep": True}
    return client.post("/v1/models/switch", json=choice)


def models_of(client: httpx.Client) -> dict[str, dict[str, Any]]:
    """Return the embedders by name, as a worker tells of them."""
    loaded = client.get("/v1/models").json()["loaded"]
    return {each["name"]: each for each in loaded if each["kind"] == "recognition"}


def default_model(client: httpx.Client) -> str:
    """Return the default embedder, as a worker tells of it."""
    (name,) = (name for name, each in models_of(client).items() if each["default"])
    return name


def push(client: httpx.Client, stream: str) -> None:
    """Push pictures into a stream until one is taken."""

    def pushed() -> bool:
        answer = client.post(f"{stream}/frames", content=FACE, headers=PNG)
        return answer.status_code == 202

    until(pushed)
