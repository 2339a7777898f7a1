"""Faces of pictures: detect, analyze, embed, draw; nothing is kept."""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import msgspec
from litestar import Controller, Response, post

from facecv.core.errors import FaceNotFoundError
from facecv.core.face import Face
from facecv.core.image import Image
from facecv.core.ports.annotator import Label
from facecv.core.services.analyse import Want
from facecv.entrypoints.http import examples
from facecv.entrypoints.http.access import requires
from facecv.entrypoints.http.bodies import read_form
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.finding import LookFields
from facecv.entrypoints.http.openapi import operation, picture_body
from facecv.entrypoints.http.request_id import request_id
from facecv.entrypoints.http.service import Service, ServiceParam
from facecv.entrypoints.http.shapes import (
    FaceShape,
    ImageShape,
    face_shape,
    image_shape,
)

FieldsT = TypeVar("FieldsT", bound=LookFields)
Look = Callable[[Image, Any], list[Face]]
_ERRORS = (404, 413, 415)


class AnalyzeFields(LookFields, kw_only=True):
    """What to find out about each face.

    Attributes:
        attributes: names of attributes; all that the models give if left out.
        embedding: whether to compute embeddings.
        quality: whether to measure quality.
    """

    attributes: list[str] | None = None
    embedding: bool = True
    quality: bool = True


class DrawFields(LookFields, kw_only=True):
    """How to draw.

    Attributes:
        format: of the answer; as the header Accept says if left out.
        scores: whether to write the confidence beside each face.
    """

    format: Literal["png", "jpeg"] | None = None
    scores: bool = True


class Faces(msgspec.Struct):
    """The faces of a picture, in the order that was asked for; an empty list where there is none.

    Attributes:
        request_id: as in the header X-Request-Id.
        image: size of the picture.
        faces: what is known about each.
    """

    request_id: str
    image: ImageShape
    faces: list[FaceShape]


class FaceController(Controller):
    """Routes that look at one picture and keep nothing."""

    tags = ("Faces",)

    @post(
        "/detect",
        status_code=200,
        guards=[requires("read")],
        operation_class=operation(
            Faces("a1", examples.IMAGE, [examples.DETECTED]),
            errors=_ERRORS,
            body=picture_body(LookFields, ["image"], {"score_threshold": 0.6}),
            queries=LookFields,
        ),
    )
    async def detect(self, request: AnyRequest, service: ServiceParam) -> Faces:
        """Find the faces of a picture: boxes, landmarks, confidence, quality."""
        return await _faces(request, service, LookFields, lambda _: Want(embedding=False))

    @post(
        "/analyze",
        status_code=200,
        guards=[requires("read")],
        operation_class=operation(
            Faces("a1", examples.IMAGE, [examples.ANALYZED]),
            errors=_ERRORS,
            body=picture_body(AnalyzeFields, ["image"], {"attributes": ["age", "gender"]}),
            queries=AnalyzeFields,
        ),
    )
    async def analyze(self, request: AnyRequest, service: ServiceParam) -> Faces:
        """Tell everything about the faces of a picture: attributes, quality, embeddings."""
        return await _faces(request, service, AnalyzeFields, _want)

    @post(
        "/embed",
        status_code=200,
        guards=[requires("read")],
        operation_class=operation(
            Faces("a1", examples.IMAGE, [examples.EMBEDDED]),
            errors=_ERRORS,
            body=picture_body(LookFields, ["image"], {"max_faces": 1}),
            queries=LookFields,
        ),
    )
    async def embed(self, request: AnyRequest, service: ServiceParam) -> Faces:
        """Turn the faces of a picture into vectors; a picture without a face is an error."""
        answer = await _faces(request, service, LookFields, lambda _: Want())
        answer.faces = [face for face in answer.faces if face.embedding]
        if not answer.faces:
            raise FaceNotFoundError("there is no face in this picture")
        return answer

    @post(
        "/draw",
        status_code=200,
        guards=[requires("read")],
        operation_class=operation(
            errors=_ERRORS,
            body=picture_body(DrawFields, ["image"], {"format": "png"}),
            queries=DrawFields,
            files=["image/jpeg", "image/png"],
        ),
    )
    async def draw(self, request: AnyRequest, service: ServiceParam) -> Response[bytes]:
        """Answer with the picture, its faces marked, as PNG or JPEG."""
        form = await read_form(request, DrawFields, ["image"], service.config)
        picture, fields = form.picture("image"), form.fields
        engine = fields.engine(service.engine)
        find = fields.options(engine.analyser.find, service.config.limits)
        wanted = request.headers.get("accept", "")
        kind = fields.format or ("png" if "image/png" in wanted else "jpeg")

        def work() -> bytes:
            image = engine.read(picture.source)
            found = engine.analyze(image, Want(quality=False, embedding=False), find)
            labels = [_label(face, scores=fields.scores) for face in found]
            return engine.parts.annotator.encode(engine.draw(image, labels), f".{kind}")

        return Response(await service.run(request, work), media_type=f"image/{kind}")


async def _faces(
    request: AnyRequest, service: Service, kind: type[FieldsT], want: Callable[[FieldsT], Want]
) -> Faces:
    """Return the faces of the picture in a request with what `want` makes of its fields."""
    form = await read_form(request, kind, ["image"], service.config)
    picture, engine = form.picture("image"), form.fields.engine(service.engine)
    find = form.fields.options(engine.analyser.find, service.config.limits)
    wanted, own = want(form.fields), request_id(request.scope)

    def work() -> Faces:
        image = engine.read(picture.source)
        found = engine.analyze(image, wanted, find)
        return Faces(own, image_shape(image), [face_shape(face, image) for face in found])

    return await service.run(request, work)


def _want(fields: AnalyzeFields) -> Want:
    names = None if fields.attributes is None else frozenset(fields.attributes)
    return Want(quality=fields.quality, embedding=fields.embedding, attributes=names)


def _label(face: Face, *, scores: bool) -> Label:
    return Label(face.detection, f"{face.score:.2f}" if scores else "")
