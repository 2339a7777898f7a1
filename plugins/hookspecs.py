"""The hooks a plugin may implement; together with `facecv.core` they are the whole contract.

Registering hooks take no argument and have no side effect: they return providers, and nothing is
built or imported until a configuration asks for it.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import pluggy

from facecv.plugins.provider import Provider

if TYPE_CHECKING:  # whoever asks plugins for commands only need not import numpy
    import click

    from facecv.core.pack import PackManifest
    from facecv.core.ports.annotator import Annotator
    from facecv.core.ports.attribute_model import AttributeModel
    from facecv.core.ports.detector import Detector
    from facecv.core.ports.embedder import Embedder
    from facecv.core.ports.event_sink import EventSink
    from facecv.core.ports.event_store import EventStore
    from facecv.core.ports.face_aligner import FaceAligner
    from facecv.core.ports.frame_source import FrameSource
    from facecv.core.ports.gallery_repo import GalleryRepo
    from facecv.core.ports.image_decoder import ImageDecoder
    from facecv.core.ports.inference_backend import InferenceBackend
    from facecv.core.ports.model_store import ModelStore
    from facecv.core.ports.video_sink import VideoSink

hookspec = pluggy.HookspecMarker("facecv")


@hookspec
def facecv_register_detectors() -> "Iterable[Provider[Detector]]":
    """Return ways to find faces; `detector = NAME` in the configuration selects one."""
    return ()


@hookspec
def facecv_register_embedders() -> "Iterable[Provider[Embedder]]":
    """Return ways to turn aligned faces into vectors; `embedder = NAME` selects one."""
    return ()


@hookspec
def facecv_register_attribute_models() -> "Iterable[Provider[AttributeModel]]":
    """Return models of age, gender, emotion and the like; manifests refer to them by name."""
    return ()


@hookspec
def facecv_register_backends() -> "Iterable[Provider[InferenceBackend]]":
    """Return ways to run networks; `backend = NAME` selects one."""
    return ()


@hookspec
def facecv_register_galleries() -> "Iterable[Provider[GalleryRepo]]":
    """Return places to keep enrolled faces; `gallery = NAME` selects one."""
    return ()


@hookspec
def facecv_register_frame_sources() -> "Iterable[Provider[FrameSource]]":
    """Return kinds of videos and cameras; `facecv stream NAME:ADDRESS` selects one."""
    return ()


@hookspec
def facecv_register_event_sinks() -> "Iterable[Provider[EventSink]]":
    """Return places where events may go; `facecv stream --events NAME=ADDRESS` selects one."""
    return ()


@hookspec
def facecv_register_event_stores() -> "Iterable[Provider[EventStore]]":
    """Return places to keep events; `event_store = NAME` in the configuration selects one."""
    return ()


@hookspec
def facecv_register_video_sinks() -> "Iterable[Provider[VideoSink]]":
    """Return places where videos with boxes and names may go: files, windows."""
    return ()


@hookspec
def facecv_register_model_stores() -> "Iterable[Provider[ModelStore]]":
    """Return ways to keep and fetch model files; `store = NAME` selects one."""
    return ()


@hookspec
def facecv_register_image_decoders() -> "Iterable[Provider[ImageDecoder]]":
    """Return ways to read pictures; `decoder = NAME` selects one."""
    return ()


@hookspec
def facecv_register_face_aligners() -> "Iterable[Provider[FaceAligner]]":
    """Return ways to cut faces out of pictures; `aligner = NAME` selects one."""
    return ()


@hookspec
def facecv_register_annotators() -> "Iterable[Provider[Annotator]]":
    """Return ways to draw on and encode pictures; `annotator = NAME` selects one."""
    return ()


@hookspec
def facecv_register_packs() -> "Iterable[PackManifest]":
    """Return manifests of model packs; `pack = NAME` selects one."""
    return ()


@hookspec
def facecv_cli(group: "click.Group", engine_factory: Callable[[], Any]) -> None:
    """Add commands to the command line.

    Args:
        group: the top-level click group.
        engine_factory: returns the `facecv.Engine` that the global options describe; call it
            inside a command, not while registering.
    """


@hookspec
def facecv_http(routes: list[Any], engine: Any) -> None:  # noqa: ANN401 - core knows no Litestar
    """Add Litestar route handlers to `routes`.

    A handler that declares a parameter `service` gets what our own routes work with:
    ``service.run(request, task)`` runs blocking work off the event loop,
    ``service.access.check(request, "read")`` asks for a key, ``service.config`` has the limits.
    Errors of `facecv.core.errors` are answered as everywhere.

    Args:
        routes: the handlers, controllers and routers to serve.
        engine: the `facecv.Engine` being served; its configuration tells what is wanted.
    """
