"""The routes of InsightFace-REST."""

import time
from importlib.metadata import version
from typing import Any, Literal, TypeVar

import attrs
import msgspec
import numpy as np
from litestar import Response, Router, get, post
from litestar.response import Redirect

from facecv.core.errors import FaceCVError, ImageTooLargeError, InputError
from facecv.core.image import Image
from facecv.core.ports.annotator import Label
from facecv.core.services.analyse import Want
from facecv.entrypoints.api import Engine
from facecv.entrypoints.compat.insightface_rest.shapes import (
    Draw,
    Extract,
    Images,
    crop_body,
    face_body,
)
from facecv.entrypoints.http.access import requires
from facecv.entrypoints.http.bodies import Picture, checked, fields_of, read_form, source_of
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.service import ServiceParam
from facecv.entrypoints.server_config import ServerConfig

BodyT = TypeVar("BodyT", bound=msgspec.Struct)
Given = list[Picture | FaceCVError]
MSGPACK = "application/x-msgpack"


class DrawForm(msgspec.Struct):
    """The fields of ``/multipart/draw_detections`` beside the file."""

    threshold: float = 0.6
    draw_landmarks: bool = True
    draw_scores: bool = True
    draw_sizes: bool = True
    limit_faces: int = 0


def router(prefix: str) -> Router:
    """Return all routes, below a prefix."""
    handlers = [extract, draw, draw_form, info, health, start]
    return Router(prefix or "/", route_handlers=handlers, include_in_schema=False)


@post("/extract", status_code=200, guards=[requires("read")])
async def extract(request: AnyRequest, service: ServiceParam) -> Response[bytes]:
    """Tell about the faces of pictures; a bad picture fails alone."""
    asked = await _body(request, Extract)
    given, engine = _pictures(asked.images, service.config), service.engine
    most = service.config.limits.faces
    work = _crops if asked.embed_only else _faces
    answer = await service.run(request, lambda: work(engine, given, asked, most))
    packed = asked.msgpack or MSGPACK in request.headers.get("accept", "")
    if packed:
        return Response(msgspec.msgpack.encode(answer), media_type=MSGPACK)
    return Response(msgspec.json.encode(answer), media_type="application/json")


@post("/draw_detections", status_code=200, guards=[requires("read")])
async def draw(request: AnyRequest, service: ServiceParam) -> Response[bytes]:
    """Answer with the first picture, its faces marked."""
    asked = await _body(request, Draw)
    given = _pictures(asked.images, service.config)
    if not given:
        raise InputError("there is no picture")
    content = await service.run(
        request, lambda: _drawn(service.engine, given[0], asked, service.config.limits.faces)
    )
    return Response(content, media_type="image/png")


@post("/multipart/draw_detections", status_code=200, guards=[requires("read")])
async def draw_form(request: AnyRequest, service: ServiceParam) -> Response[bytes]:
    """Answer with the picture of a form, its faces marked."""
    form = await read_form(request, DrawForm, ["file"], service.config)
    asked = Draw(images=Images(), **msgspec.structs.asdict(form.fields))
    picture, most = form.picture("file"), service.config.limits.faces
    content = await service.run(request, lambda: _drawn(service.engine, picture, asked, most))
    return Response(content, media_type="image/png")


@get("/info", guards=[requires("read")])
async def info(request: AnyRequest, service: ServiceParam) -> dict[str, Any]:
    """Tell which models work here."""
    engine = service.engine
    detector, embedder = await service.run(request, lambda: _names(engine))
    return {
        "version": version("facecv"),
        "tensorrt_version": None,
        "log_level": "",
        "models": {
            "inference_backend": engine.config.backend,
            "backend_name": engine.config.backend,  # as its older clients call it
            "det_name": detector,
            "rec_name": embedder,
            "rec_batch_size": service.config.batching.max_size,
            "det_batch_size": 1,
            "max_size": [engine.config.detection.input_size] * 2,
        },
        "defaults": {"threshold": 0.6, "extract_embedding": True},
    }


@get("/health", sync_to_thread=False)
def health() -> dict[str, Literal["ok"]]:
    """Tell that the server runs."""
    return {"status": "ok"}


@get("/", sync_to_thread=False)
def start() -> Redirect:
    """Go to the documents."""
    return Redirect("/docs")


async def _body(request: AnyRequest, kind: type[BodyT]) -> BodyT:
    """Return the body, of MessagePack or JSON."""
    content = await request.body()
    packed = "msgpack" in request.headers.get("content-type", "")
    decode = msgspec.msgpack.decode if packed else msgspec.json.decode
    try:
        return fields_of(kind, decode(content))
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError) as error:
        raise InputError(f"the body cannot be read: {error}") from error


def _pictures(images: Images, config: ServerConfig) -> Given:
    """Return the pictures of a request, each or why it cannot be had."""
    listed = images.urls or images.data or []
    if len(listed) > config.limits.images:
        raise ImageTooLargeError(f"more than {config.limits.images} pictures in one request")
    return [_picture(each, f"image {number}", config) for number, each in enumerate(listed)]


def _picture(given: Any, name: str, config: ServerConfig) -> Picture | FaceCVError:  # noqa: ANN401 - as it came
    try:
        if isinstance(given, bytes):
            return checked(Picture(given, name), config)
        if not isinstance(given, str):
            raise InputError(f"{name} is neither text nor bytes")
        return source_of(given, name, config)
    except FaceCVError as error:
        return error


def _faces(engine: Engine, given: Given, asked: Extract, most: int) -> dict[str, Any]:
    begun = time.perf_counter()
    done = [_image_body(engine, picture, asked, most) for picture in given]
    took, data = {"total_ms": _since(begun)}, [body for body, _ in done]
    if asked.verbose_timings:
        reading = sum(read for _, read in done)
        rest = sum(body["took_ms"] for body in data) - reading
        took |= {"read_imgs_ms": round(reading, 3), "embed_all_ms": round(rest, 3)}
    return {"took": took, "data": data}


def _image_body(
    engine: Engine, picture: Picture | FaceCVError, asked: Extract, most: int
) -> tuple[dict[str, Any], float]:
    """Return what is said of a picture, and the milliseconds that reading it took."""
    begun, reading = time.perf_counter(), 0.0
    try:
        image = _read(engine, picture)
        reading = _since(begun)
        want = asked.want(engine.analyser.attribute_models.names)
        found = engine.analyze(image, want, asked.find(engine.analyser.find, most))
    except FaceCVError as error:
        failed = {"status": "failed", "faces": [], "traceback": str(error)}
        return failed | {"took_ms": _since(begun)}, reading
    annotator = engine.parts.annotator
    faces = [face_body(number, face, asked, annotator) for number, face in enumerate(found)]
    return {"status": "ok", "took_ms": _since(begun), "faces": faces}, reading


def _crops(engine: Engine, given: Given, _: Extract, __: int) -> dict[str, Any]:
    begun = time.perf_counter()
    data = [{"status": "ok", "took_ms": 0, "faces": [_crop(engine, each)]} for each in given]
    return {"took_ms": _since(begun), "status": "ok", "data": data}


def _crop(engine: Engine, picture: Picture | FaceCVError) -> dict[str, Any]:
    try:
        image = _read(engine, picture)
        (embedding,) = engine.analyser.embed_crops(image.pixels[np.newaxis])
    except FaceCVError as error:
        return {"status": "failed", "traceback": str(error)}
    return crop_body(embedding)


def _drawn(engine: Engine, picture: Picture | FaceCVError, asked: Draw, most: int) -> bytes:
    image = _read(engine, picture)
    want = Want(quality=False, embedding=False)
    found = engine.analyze(image, want, asked.find(engine.analyser.find, most))
    labels = []
    for face in found:
        score = f"{face.score:.2f}" if asked.draw_scores else ""
        size = f"{round(face.box.width)}" if asked.draw_sizes else ""
        marked = face.detection if asked.draw_landmarks else _without_landmarks(face.detection)
        labels.append(Label(marked, f"{score} {size}".strip()))
    return engine.parts.annotator.encode(engine.draw(image, labels), ".png")


def _without_landmarks(detection: Any) -> Any:  # noqa: ANN401 - the same kind goes out
    return attrs.evolve(detection, landmarks=None)


def _read(engine: Engine, picture: Picture | FaceCVError) -> Image:
    if isinstance(picture, FaceCVError):
        raise picture
    return engine.read(picture.source)


def _names(engine: Engine) -> tuple[str, str]:
    with engine.analyser.detector.use() as detector, engine.analyser.hold_embedder() as embedder:
        return detector.name, embedder.name


def _since(begun: float) -> float:
    return round((time.perf_counter() - begun) * 1000, 3)
