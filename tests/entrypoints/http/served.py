"""The HTTP service over a world in which everything about a face can be read off its pixels.

The detector, embedder and attribute model are those of `tests.core.services.world`; everything
else is the real thing. ``open_client(tmp_path)`` serves it without a server process.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from litestar import Litestar
from litestar.testing import TestClient
from PIL import Image

from facecv.core.arrays import Pixels
from facecv.entrypoints.api import Engine
from facecv.entrypoints.bootstrap import bootstrap, configure
from facecv.entrypoints.config import Config
from facecv.entrypoints.http.app import create_app
from facecv.entrypoints.http.server import served
from facecv.entrypoints.http.service import Service
from facecv.plugins import builtin
from facecv.plugins.manager import catalogue_of
from tests.core.services import world
from tests.entrypoints.cli.runner import World

Client = TestClient[Litestar]
JPEG = {"Content-Type": "image/jpeg"}
PNG = {"Content-Type": "image/png"}


def config_in(
    folder: Path, server: Mapping[str, Any] | None = None, settings: Mapping[str, Any] | None = None
) -> Config:
    """Return the configuration of a server over the small world, with all files in `folder`."""
    return served(
        configure(
            {
                "pack": "world",
                "detector": "world",
                "embedder": "world",
                "attributes": ["world"],
                "gallery": str(folder / "gallery.db"),
                "quality": "off",
                "model_stores": {"local": {"cache_dir": str(folder / "cache")}},
                "server": {
                    "keys": str(folder / "keys.json"),
                    "state": str(folder / "state"),
                    **(server or {}),
                },
                **(settings or {}),
            }
        )
    )


def engine_of(config: Config, *plugins: object) -> Engine:
    """Return an engine of the small world, with `plugins` beside our own."""
    return Engine(bootstrap(config, catalogue_of(builtin, World(), *plugins)))


@contextmanager
def open_client(
    folder: Path,
    server: Mapping[str, Any] | None = None,
    *plugins: object,
    settings: Mapping[str, Any] | None = None,
    raise_bugs: bool = True,
) -> Iterator[Client]:
    """Yield a client of a server over the small world, ready.

    Args:
        folder: for the gallery, the keys and the cache.
        server: section ``[server]``.
        plugins: beside our own.
        settings: further keys of the configuration.
        raise_bugs: whether a bug is raised here, instead of being a status 500.
    """
    engine = engine_of(config_in(folder, server, settings), *plugins)
    app = create_app(engine)
    with TestClient(app, "http://127.0.0.1", raise_server_exceptions=raise_bugs) as client:
        service_of(client).readiness.warm_up()
        yield client


def service_of(client: Client) -> Service:
    """Return what the routes of a client's application work with."""
    service: Service = client.app.state.service
    return service


def picture(*faces: tuple[int, int, int, int]) -> bytes:
    """Return a PNG file with faces (x, y, side, who)."""
    return png(world.picture(*faces))


def png(pixels: Pixels) -> bytes:
    """Return BGR pixels as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(pixels[..., ::-1].copy()).save(file, "PNG")
    return file.getvalue()
