"""Running the application in one process or several, until a signal stops it."""

import os
import socket
from collections.abc import Callable
from math import ceil

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
from facecv.entrypoints.keys import KeyFile, default_keys_file
from facecv.entrypoints.logging import Level
from facecv.entrypoints.logging import configure as configure_logging

_BUILT_IN_DECODER = "pillow"
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

    def __call__(self) -> Litestar:
        """Return the application, with an engine of its own."""
        configure_logging(self.level)
        builder = self.prepare(self.config)
        engine = Engine(bootstrap(builder.config, builder.catalogue))
        return create_app(engine, abandon=_leave)


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


def serve(
    make_app: Callable[[], Litestar], config: Config, tell: Callable[[str], None] = print
) -> None:
    """Serve until a signal comes; work in flight is finished first, in bounded time.

    Args:
        make_app: makes the application, in each process; must be picklable for several.
        config: section ``[server]`` says where.
        tell: is told the address once the port is taken.

    Raises:
        ConfigurationError: the address cannot be listened on, or must not be without keys.
    """
    check_exposure(config)
    server = config.server
    app = _Once(make_app)
    settings = uvicorn.Config(
        app if server.workers == 1 else make_app,
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
    listening = _listen(server.host, server.port)
    host, port = listening.getsockname()[:2]
    tell(f"http://{f'[{host}]' if ':' in host else host}:{port}")
    with listening:
        if server.workers == 1:
            _Server(settings, app).run(sockets=[listening])
        else:
            Multiprocess(settings, sockets=[listening]).run()


class _Once:
    """Makes an application, and remembers it."""

    def __init__(self, make_app: Callable[[], Litestar]) -> None:
        self._make_app = make_app
        self.made: Litestar | None = None

    def __call__(self) -> Litestar:
        """Return a new application."""
        self.made = self._make_app()
        return self.made


class _Server(uvicorn.Server):
    """A server that lets clients go whose answers never end, before it waits for answers."""

    def __init__(self, settings: uvicorn.Config, app: _Once) -> None:
        super().__init__(settings)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving."""
        if self._app.made is not None:
            self._app.made.state.service.streams.let_go()
        await super().shutdown(sockets)


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
