"""FaceCV: face detection, recognition and galleries behind replaceable ports.

>>> import facecv
>>> engine = facecv.Engine.open(gallery="memory")  # doctest: +SKIP
>>> engine.analyze("group.jpg")  # doctest: +SKIP
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facecv.core.errors import FaceCVError
    from facecv.core.image import Image
    from facecv.core.services.analyse import Want
    from facecv.core.services.enrol import EnrolOptions
    from facecv.core.services.find import FindOptions
    from facecv.core.services.identify import IdentifyOptions
    from facecv.entrypoints.api import Engine, Gallery
    from facecv.entrypoints.client.asynchronous import AsyncClient
    from facecv.entrypoints.client.sync import Client
    from facecv.entrypoints.config import Config

__all__ = [
    "AsyncClient",
    "Client",
    "Config",
    "Engine",
    "EnrolOptions",
    "FaceCVError",
    "FindOptions",
    "Gallery",
    "IdentifyOptions",
    "Image",
    "Want",
]

_HOMES = {
    "AsyncClient": "facecv.entrypoints.client.asynchronous",
    "Client": "facecv.entrypoints.client.sync",
    "Config": "facecv.entrypoints.config",
    "Engine": "facecv.entrypoints.api",
    "EnrolOptions": "facecv.core.services.enrol",
    "FaceCVError": "facecv.core.errors",
    "FindOptions": "facecv.core.services.find",
    "Gallery": "facecv.entrypoints.api",
    "IdentifyOptions": "facecv.core.services.identify",
    "Image": "facecv.core.image",
    "Want": "facecv.core.services.analyse",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that importing the package costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'facecv' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - not needed until then

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
