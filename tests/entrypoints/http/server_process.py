"""A server over the small world in a process of its own: ``python -m … FOLDER [KEY=JSON …]``.

Beside our routes it has ``/slow``, which begins by writing the file ``begun`` into the folder and
answers once there is a file ``go`` in it, ``/who``, the id of the process, and ``/job``, which
begins a job of two steps that waits for ``go`` in between. The embedder ``other`` cannot be loaded
by a process for which there is a file ``sick-PID``.
"""

import json
import os
import sys
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import attrs
from litestar import Response, get, post

from facecv.core.errors import ModelError
from facecv.core.ports.embedder import Embedder
from facecv.core.services.jobs import Tell
from facecv.entrypoints.api import Engine
from facecv.entrypoints.bootstrap import Builder
from facecv.entrypoints.config import Config
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.job_shapes import JobAnswer
from facecv.entrypoints.http.jobs import begin
from facecv.entrypoints.http.server import AppFactory, serve
from facecv.entrypoints.http.service import ServiceParam
from facecv.plugins import Provider, builtin, hookimpl
from facecv.plugins.manager import catalogue_of
from tests.core.services.world import SPACE, WorldEmbedder
from tests.entrypoints.cli.runner import World
from tests.entrypoints.http.served import config_in

OTHER = attrs.evolve(SPACE, model="other", digest="1" * 64)


@attrs.frozen
class Slow:
    """A plugin with the routes and the embedder."""

    folder: Path

    @hookimpl
    def facecv_http(self, routes: list[Any], engine: Engine) -> None:
        @get("/slow")
        async def slow(request: AnyRequest, service: ServiceParam) -> str:
            return await service.run(request, self._wait)

        @get("/who", sync_to_thread=False)
        def who() -> int:
            return os.getpid()

        @post("/job")
        async def job(request: AnyRequest, service: ServiceParam) -> Response[JobAnswer]:
            return begin(request, service, "slow", self._step)

        routes += [slow, who, job]

    @hookimpl
    def facecv_register_embedders(self) -> Iterable[Provider[Embedder]]:
        return [Provider("other", lambda _: self._other())]

    def _other(self) -> Embedder:
        if (self.folder / f"sick-{os.getpid()}").exists():
            raise ModelError("this worker is sick")
        return WorldEmbedder(OTHER)

    def _step(self, tell: Tell) -> dict[str, int]:
        while not (self.folder / "go").exists():
            tell(1, 2, "half of it")
            time.sleep(0.01)
        return {"process": os.getpid()}

    def _wait(self) -> str:
        (self.folder / "begun").touch()
        while not (self.folder / "go").exists():
            time.sleep(0.01)
        (self.folder / "finished").touch()
        return "finished"


def prepare(folder: Path, config: Config) -> Builder:
    """Return what builds the small world with the plugin."""
    return Builder(config, catalogue_of(builtin, World(), Slow(folder)))


def main() -> None:
    """Serve until a signal comes."""
    folder = Path(sys.argv[1])
    server = {
        name: json.loads(value) for name, _, value in (a.partition("=") for a in sys.argv[2:])
    }
    config = config_in(folder, {"port": 0, **server})
    factory = AppFactory(config, partial(prepare, folder))
    serve(factory, config, lambda url: print(url, flush=True))  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    main()
