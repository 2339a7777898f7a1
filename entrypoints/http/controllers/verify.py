"""Are two faces of one person? Nothing is kept."""

from typing import Annotated, Any

import attrs
import msgspec
from litestar import Controller, post
from msgspec import Meta

from facecv.core.embedding import Embedding
from facecv.core.errors import FaceNotFoundError
from facecv.core.face import Face
from facecv.core.image import Image
from facecv.core.services.verify import Verification
from facecv.entrypoints.http import examples
from facecv.entrypoints.http.access import requires
from facecv.entrypoints.http.bodies import JSON, Form, Picture, read_form
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.finding import LookFields
from facecv.entrypoints.http.openapi import operation, picture_body
from facecv.entrypoints.http.request_id import request_id
from facecv.entrypoints.http.service import ServiceParam
from facecv.entrypoints.http.shapes import EmbeddingShape, FaceShape, face_shape


class VerifyOptions(LookFields, kw_only=True):
    """How to compare.

    Attributes:
        threshold: the similarity that is needed; the model's own if left out.
    """

    threshold: Annotated[float, Meta(ge=-1, le=1)] | None = None


class VerifyFields(VerifyOptions, kw_only=True):
    """What is compared, where it is not a picture: embeddings as `/v1/embed` gives them."""

    one: EmbeddingShape | None = None
    other: EmbeddingShape | None = None


class Verified(msgspec.Struct):
    """Whether two faces are of one person.

    Attributes:
        request_id: as in the header X-Request-Id.
        match: whether the similarity reaches the threshold.
        similarity: cosine, -1..1.
        threshold: what was needed.
        far: the false-accept rate that the threshold stands for; null where it is not known.
        faces: the face used of each side; null for an embedding.
    """

    request_id: str
    match: bool
    similarity: float
    threshold: float
    far: float | None
    faces: list[FaceShape | None]


def verify_body() -> dict[str, Any]:
    """Return the body of a comparison: a side is a picture or, in JSON, an embedding."""
    body = picture_body(VerifyOptions, ["one", "other"], {"threshold": 0.4}, raw=False)
    sides = body["content"][JSON]["schema"]["properties"]
    known = {"$ref": "#/components/schemas/EmbeddingShape"}
    sides |= {name: {"anyOf": [sides[name], known]} for name in ("one", "other")}
    return body


class VerifyController(Controller):
    """The route that compares two faces."""

    tags = ("Faces",)

    @post(
        "/verify",
        status_code=200,
        guards=[requires("read")],
        operation_class=operation(
            Verified("a1", True, 0.71, 0.4, 1e-4, [examples.DETECTED, None]),
            errors=(404, 409, 413, 415),
            body=verify_body(),
            queries=VerifyOptions,
        ),
    )
    async def verify(self, request: AnyRequest, service: ServiceParam) -> Verified:
        """Compare the largest faces of two pictures, or of a picture and a known embedding."""
        form = await read_form(request, VerifyFields, ["one", "other"], service.config)
        sides = [_side(form, name) for name in ("one", "other")]
        fields, own = form.fields, request_id(request.scope)
        engine = fields.engine(service.engine)
        find = fields.options(engine.analyser.find, service.config.limits)

        def work() -> Verified:
            one, other = (
                side if isinstance(side, Embedding) else engine.read(side.source) for side in sides
            )
            answer = engine.verify(one, other, find=find, threshold=fields.threshold)
            return _verified(own, answer, (one, other))

        return await service.run(request, work)


def _side(form: Form[VerifyFields], name: str) -> Picture | Embedding:
    """Return one side of a comparison."""
    known: EmbeddingShape | None = getattr(form.fields, name)
    if known is not None and name not in form.pictures:
        return known.value()
    return form.picture(name)


def _verified(
    own: str, answer: Verification, sides: tuple[Image | Embedding, Image | Embedding]
) -> Verified:
    if answer.similarity is None:
        names = [("one", "other")[side] for side in answer.missing]
        raise FaceNotFoundError(
            f"there is no face in {' and '.join(names)}", details={"missing": names}
        )
    faces = [
        face_shape(_without_embedding(face), side) if face and isinstance(side, Image) else None
        for face, side in zip(answer.faces, sides, strict=True)
    ]
    return Verified(
        own, answer.match, round(answer.similarity, 6), answer.threshold, answer.far, faces
    )


def _without_embedding(face: Face) -> Face:
    return attrs.evolve(face, embedding=None)
