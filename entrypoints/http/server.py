"""Running the application in one process or several, until a signal stops it."""

import asyncio
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable
from functools import partial
from math import ceil
from types import FrameType
from typing import Any

import attrs
import uvicorn
from litestar import Litestar
from uvicorn.supervisors import Multiprocess

from facecv.core.errors import ConfigurationError
from facecv.entrypoints.api import Engine
from facecv.entrypoints.bootstrap import Builder, bootstrap, prepare
from facecv.entrypoints.config import Config, evolve
from facecv.entrypoints.http.access import LOOPBACK
from facecv.entrypoints.http.app import create_app
from facecv.entrypoints.http.service import Service
from facecv.entrypoints.http.traced import check_tracing
from facecv.entrypoints.http.worker_folder import together
from facecv.entrypoints.http.worker_group import WorkerGroup
from facecv.entrypoints.keys import KeyFile, default_keys_file
from facecv.entrypoints.logging import Level
from facecv.entrypoints.logging import configure as configure_logging
from facecv.entrypoints.server_config import ServerConfig

_BUILT_IN_DECODER = "pillow"
_GALLERY_OF_A_PROCESS = "memory"
_OPENCV_THREADS = ("OPENCV_FOR_THREADS_NUM", "1")
"""What OpenCV finds when it is loaded: requests keep the cores busy, and its idle threads do not
sleep but look for work."""
_IDLE_SECONDS = 30
"""A connection on which nothing is asked is closed after so long."""
_WORKER_SECONDS = 60
"""A worker that does not answer its parent for so long is replaced; starting counts too."""


@attrs.frozen
class AppFactory:
    """Makes the application of a worker process; it can be sent to one.

    Attributes:
        config: of the engine and the server.
        prepare: makes what builds the parts of an engine.
        level: from which level on is logged.
    """

    config: Config
    prepare: Callable[[Config], Builder] = prepare
    level: Level = "warning"

    def __call__(self, group: WorkerGroup | None = None) -> Litestar:
        """Return the application, with an engine of its own.

        Args:
            group: of the workers that serve together; None: there is only this one.
        """
        configure_logging(self.level)
        os.environ.setdefault(*_OPENCV_THREADS)
        builder = self.prepare(self.config)
        engine = Engine(bootstrap(builder.config, builder.catalogue, crowded=True))
        app = create_app(engine, abandon=_leave, group=group)
        _let_go_when_told_to_stop(app.state.service)
        _stop_with_parent()
        return app


def served(config: Config) -> Config:
    """Return the configuration of an engine that works for strangers.

    The decoder keeps the limits of the server, and fetches URLs only as `UrlsConfig` allows. A
    decoder of a plugin has settings of its own; it gets no URLs, which could not be checked.

    Raises:
        ConfigurationError: URLs are switched on with a decoder that cannot check them.
    """
    server = config.server
    if config.decoder != _BUILT_IN_DECODER:
        if server.urls.enabled:
            raise ConfigurationError(
                f"the decoder {config.decoder!r} cannot check URLs",
                hint="switch off server.urls.enabled",
            )
        return config
    decoder = {
        "max_bytes": server.limits.image_bytes,
        "max_pixels": server.limits.image_pixels,
        "urls": server.urls.enabled,
        "timeout": server.urls.seconds,
        "url_schemes": server.urls.schemes,
        "url_redirects": server.urls.redirects,
        "public_urls_only": not server.urls.private,
    }
    return evolve(config, {"image_decoders": {_BUILT_IN_DECODER: decoder}})


def check_exposure(config: Config) -> None:
    """Raise `ConfigurationError` where strangers could reach a server that asks for no key."""
    server = config.server
    if server.host in LOOPBACK or server.insecure:
        return
    if not KeyFile(server.keys or default_keys_file()).keys():
        raise ConfigurationError(
            f"without a key, {server.host} is not served: whoever reaches it could do everything",
            hint="make one with 'facecv keys create', or say --insecure",
        )


def serve(make_app: AppFactory, config: Config, tell: Callable[[str], None] = print) -> None:
    """Serve until a signal comes; work in flight is finished first, in bounded time.

    Args:
        make_app: makes the application, in each process.
        config: section ``[server]`` says where.
        tell: is told the address once the port is taken.

    Raises:
        ConfigurationError: the address cannot be listened on, or must not be without keys; or
            the gallery cannot be shared by several workers.
        RuntimeMissingError: traces are switched on without their packages.
    """
    check_exposure(config)
    _check_shareable(config)
    server = config.server
    check_tracing(server.opentelemetry)
    with _listen(server.host, server.port) as listening:
        host, port = listening.getsockname()[:2]
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        if server.workers == 1:
            tell(address)
            uvicorn.Server(_settings(make_app, server)).run(sockets=[listening])
            return
        with together(server.state) as group:
            tell(address)
            settings = _settings(partial(make_app, group), server)
            Multiprocess(settings, sockets=[listening]).run()


def _settings(make_app: Callable[[], Litestar], server: ServerConfig) -> uvicorn.Config:
    return uvicorn.Config(
        make_app,
        factory=True,
        host=server.host,
        port=server.port,
        workers=server.workers,
        timeout_graceful_shutdown=ceil(server.stop_seconds),
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_worker_healthcheck=_WORKER_SECONDS,
        access_log=False,
        log_config=None,
        server_header=False,
    )


def _check_shareable(config: Config) -> None:
    """Raise `ConfigurationError` for a gallery that each worker would have for itself."""
    if config.server.workers > 1 and config.gallery == _GALLERY_OF_A_PROCESS:
        raise ConfigurationError(
            "several workers cannot share a gallery in memory",
            hint="name a file with --gallery, or serve with one worker",
        )


def _let_go_when_told_to_stop(service: Service) -> None:
    """Let clients go whose answers never end, as soon as a signal tells the process to stop.

    The server would wait for them otherwise. Its own handlers are there already, and go on to
    do what they do.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _also(signal.getsignal(number), loop, service.let_go))


def _also(
    before: Callable[[int, FrameType | None], Any] | int | None,
    loop: asyncio.AbstractEventLoop,
    first: Callable[[], None],
) -> Callable[[int, FrameType | None], None]:
    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(first)
        if callable(before):
            before(number, frame)

    return handle


def _stop_with_parent() -> None:
    """Stop a worker once its parent is gone, killed say; it would hold the port for ever."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def stop() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop, name="stop-with-parent", daemon=True).start()


def _leave() -> None:
    """End the process, although a thread still works; the gallery is closed by now."""
    os._exit(1)  # an orderly end would wait for the thread


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        raise ConfigurationError(
            f"{host} port {port} cannot be listened on: {error.strerror or error}",
            hint="choose another with --port",
        ) from error
