"""Our own adapters, registered through the same hooks as anybody's.

With `builtin_attributes` and `builtin_streams`, this is the only module that knows adapters. Each
builder imports its adapter inside itself, so that listing providers loads nothing.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import attrs

from facecv.core.image import ImageLimits
from facecv.core.secret import KeySource
from facecv.plugins import BuildRequest, Provider, hookimpl
from facecv.plugins.builtin_attributes import (  # noqa: F401 - what stands here is registered
    facecv_register_attribute_models,
)
from facecv.plugins.builtin_streams import (  # noqa: F401 - what stands here is registered
    facecv_register_event_sinks,
    facecv_register_event_stores,
    facecv_register_frame_sources,
    facecv_register_video_sinks,
)

if TYPE_CHECKING:
    from facecv.core.ports.annotator import Annotator
    from facecv.core.ports.detector import Detector
    from facecv.core.ports.embedder import Embedder
    from facecv.core.ports.face_aligner import FaceAligner
    from facecv.core.ports.gallery_repo import GalleryRepo
    from facecv.core.ports.image_decoder import ImageDecoder
    from facecv.core.ports.inference_backend import InferenceBackend
    from facecv.core.ports.model_store import ModelStore


@attrs.frozen
class ArcFaceSettings:
    """Section ``[embedders.arcface]``.

    Attributes:
        flip: add the embedding of the mirrored crop: twice the work, slightly better, and an
            embedding space of its own; None: as ``flip`` in the settings of the model's manifest.
        batch_size: crops in one run.
    """

    flip: bool | None = None
    batch_size: int = attrs.field(default=16, validator=attrs.validators.ge(1))


@attrs.frozen
class OnnxRuntimeSettings:
    """Section ``[backends.onnxruntime]``.

    Attributes:
        engine_cache: folder of TensorRT engines; None: in the user's cache.
        graph_cache: folder of networks prepared for the CPU; None: in the user's cache.
        prepare: whether networks are rewritten and optimised for the CPU once, and kept.
        fp16: whether TensorRT may use half precision.
        max_side: longest side, in pixels, of what networks are shown on TensorRT, whose engines
            are built for that.
        spinning: whether idle threads of a run look out for work for a moment before they sleep:
            5 to 20 % faster alone, 5 % slower beside others, so never done in a server.
        allow_cpu_nodes: whether a GPU may leave operators that take time to the CPU.
        io_binding: whether inputs go through buffers on the GPU that are used again.
        cuda_graphs: whether runs on ``cuda`` are recorded, once for each shape, and played back:
            less work for the processor, and one run of all networks at a time.
    """

    engine_cache: Path | None = None
    graph_cache: Path | None = None
    prepare: bool = True
    fp16: bool = True
    max_side: int = attrs.field(default=1280, validator=attrs.validators.ge(32))
    spinning: bool = True
    allow_cpu_nodes: bool = False
    io_binding: bool = True
    cuda_graphs: bool = False


@attrs.frozen
class OpenVinoSettings:
    """Section ``[backends.openvino]``.

    Attributes:
        cache_dir: folder of compiled networks; None: in the user's cache.
        precision: ``f32``, or ``bf16`` or ``f16`` where the processor has them: faster, and
            embeddings move by about a thousandth of a cosine; compare with `facecv tune`.
        pinning: whether threads are tied to cores: a little faster alone, slower beside others.
    """

    cache_dir: Path | None = None
    precision: Literal["f32", "bf16", "f16"] = "f32"
    pinning: bool = False


def _default_gallery() -> Path:
    import platformdirs

    return platformdirs.user_data_path("facecv") / "gallery.db"


def _default_models() -> Path:
    import platformdirs

    return platformdirs.user_cache_path("facecv") / "models"


@attrs.frozen
class SqliteSettings:
    """Section ``[galleries.sqlite]``.

    Attributes:
        path: the file; by default in the user's data folder.
        graph_from: faces of a collection from which searches are approximate.
        key_file: a file with the key that encrypts vectors and crops: 32 bytes as hexadecimal
            digits or base64.
        key_variable: the name of an environment variable with that key.
    """

    path: Path = attrs.field(factory=_default_gallery)
    graph_from: int = attrs.field(default=16_384, validator=attrs.validators.ge(0))
    key_file: Path | None = None
    key_variable: str = ""


@attrs.frozen
class LocalStoreSettings:
    """Section ``[model_stores.local]``.

    Attributes:
        cache_dir: where packs are kept; by default in the user's cache folder.
        mirror: base URL that replaces the published one.
        offline: never download.
    """

    cache_dir: Path = attrs.field(factory=_default_models)
    mirror: str = ""
    offline: bool = False


@attrs.frozen
class DecoderSettings:
    """Section ``[image_decoders.pillow]``.

    Attributes:
        max_bytes: the most bytes of an encoded picture.
        max_pixels: the most pixels of a picture.
        urls: whether pictures may be fetched from http(s) URLs.
        timeout: seconds that fetching one may take.
        url_schemes: of URLs that may be fetched.
        url_redirects: the most to follow.
        public_urls_only: refuse addresses that are not on the public internet.
    """

    max_bytes: int = attrs.field(default=ImageLimits().max_bytes, validator=attrs.validators.ge(1))
    max_pixels: int = attrs.field(
        default=ImageLimits().max_pixels, validator=attrs.validators.ge(1)
    )
    urls: bool = True
    timeout: float = attrs.field(default=20.0, validator=attrs.validators.gt(0))
    url_schemes: tuple[str, ...] = ("http", "https")
    url_redirects: int = attrs.field(default=5, validator=attrs.validators.ge(0))
    public_urls_only: bool = False


def _scrfd(request: BuildRequest) -> "Detector":
    from facecv.adapters.detectors.scrfd import Scrfd

    spec = request.model_file().spec
    enlarge = spec.settings.get("enlarge", True) is True
    return Scrfd(request.load(pixels=spec.input), spec.input, enlarge=enlarge)


def _arcface(request: BuildRequest) -> "Embedder":
    from facecv.adapters.embedders.arcface import ArcFace

    settings, model = request.settings_as(ArcFaceSettings), request.model_file()
    flip = model.spec.settings.get("flip", False) if settings.flip is None else settings.flip
    network = request.load(max_batch=settings.batch_size, pixels=model.spec.input)
    return ArcFace(network, model, flip=flip is True, batch_size=settings.batch_size)


def _onnxruntime(request: BuildRequest) -> "InferenceBackend":
    import platformdirs

    from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
    from facecv.adapters.backends.providers import GpuSettings

    settings = request.settings_as(OnnxRuntimeSettings)
    gpu = GpuSettings(
        settings.allow_cpu_nodes,
        settings.io_binding,
        settings.cuda_graphs,
        settings.fp16,
        settings.max_side,
    )
    cache = platformdirs.user_cache_path("facecv")
    graphs = settings.graph_cache or cache / "graphs"
    return OnnxRuntimeBackend(
        engine_cache=settings.engine_cache or cache / "engines",
        graph_cache=graphs if settings.prepare else None,
        spinning=settings.spinning,
        gpu=gpu,
    )


def _openvino(request: BuildRequest) -> "InferenceBackend":
    import platformdirs

    from facecv.adapters.backends.openvino import OpenVinoBackend

    settings = request.settings_as(OpenVinoSettings)
    cache = settings.cache_dir or platformdirs.user_cache_path("facecv") / "openvino"
    return OpenVinoBackend(cache_dir=cache, precision=settings.precision, pinning=settings.pinning)


def _memory(_: BuildRequest) -> "GalleryRepo":
    from facecv.adapters.galleries.memory import MemoryGallery

    return MemoryGallery()


def _sqlite(request: BuildRequest) -> "GalleryRepo":
    from facecv.adapters.galleries.sqlite import SqliteGallery

    settings = request.settings_as(SqliteSettings)
    key = KeySource(settings.key_file, settings.key_variable).read()
    return SqliteGallery(settings.path, graph_from=settings.graph_from, key=key)


def _local(request: BuildRequest) -> "ModelStore":
    from facecv.adapters.model_stores.local import LocalModelStore

    settings = request.settings_as(LocalStoreSettings)
    return LocalModelStore(settings.cache_dir, mirror=settings.mirror, offline=settings.offline)


def _decoder(request: BuildRequest) -> "ImageDecoder":
    from facecv.adapters.images.addresses import UrlPolicy
    from facecv.adapters.images.decoder import PillowDecoder

    settings = request.settings_as(DecoderSettings)
    limits = ImageLimits(settings.max_bytes, settings.max_pixels)
    policy = UrlPolicy(settings.url_schemes, settings.url_redirects, settings.public_urls_only)
    return PillowDecoder(limits, urls=settings.urls, timeout=settings.timeout, policy=policy)


def _aligner(_: BuildRequest) -> "FaceAligner":
    from facecv.adapters.images.aligner import OpenCVAligner

    return OpenCVAligner()


def _annotator(_: BuildRequest) -> "Annotator":
    from facecv.adapters.images.annotator import OpenCVAnnotator

    return OpenCVAnnotator()


@hookimpl
def facecv_register_detectors() -> "Iterable[Provider[Detector]]":
    """Return our detectors."""
    return [Provider("scrfd", _scrfd, "SCRFD, every published variant", needs_model=True)]


@hookimpl
def facecv_register_embedders() -> "Iterable[Provider[Embedder]]":
    """Return our embedders."""
    summary = "ArcFace family: r50, r100, MobileFaceNet"
    return [Provider("arcface", _arcface, summary, ArcFaceSettings, needs_model=True)]


@hookimpl
def facecv_register_backends() -> "Iterable[Provider[InferenceBackend]]":
    """Return our inference backends."""
    summary = "ONNX Runtime on CPU, CUDA or TensorRT"
    return [
        Provider("onnxruntime", _onnxruntime, summary, OnnxRuntimeSettings),
        Provider("openvino", _openvino, "OpenVINO on CPU", OpenVinoSettings),
    ]


@hookimpl
def facecv_register_galleries() -> "Iterable[Provider[GalleryRepo]]":
    """Return our galleries."""
    return [
        Provider("sqlite", _sqlite, "one SQLite file, many processes", SqliteSettings),
        Provider("memory", _memory, "gone when the process ends"),
    ]


@hookimpl
def facecv_register_model_stores() -> "Iterable[Provider[ModelStore]]":
    """Return our model stores."""
    return [Provider("local", _local, "a folder, filled by download", LocalStoreSettings)]


@hookimpl
def facecv_register_image_decoders() -> "Iterable[Provider[ImageDecoder]]":
    """Return our image decoders."""
    return [Provider("pillow", _decoder, "files, bytes, text, arrays and URLs", DecoderSettings)]


@hookimpl
def facecv_register_face_aligners() -> "Iterable[Provider[FaceAligner]]":
    """Return our face aligners."""
    return [Provider("opencv", _aligner, "bilinear warp, as the ArcFace family is trained")]


@hookimpl
def facecv_register_annotators() -> "Iterable[Provider[Annotator]]":
    """Return our annotators."""
    return [Provider("opencv", _annotator, "boxes, landmarks and names")]
