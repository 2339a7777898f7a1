"""Routes that look at pictures and keep nothing."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from litestar import post

from facecv.core.errors import FaceNotFoundError
from facecv.core.face import Face
from facecv.core.image import Image
from facecv.core.services.analyse import Analyser, Want
from facecv.core.services.verify import Verifier
from facecv.entrypoints.compat.insightface_server.fields import (
    CompareFields,
    DetectFields,
    DetectionFields,
    LookFields,
    many_faces,
    one_face,
)
from facecv.entrypoints.compat.insightface_server.shapes import (
    Body,
    face_body,
    profile_of,
    space_body,
    told,
)
from facecv.entrypoints.http.access import check_collection, requires
from facecv.entrypoints.http.bodies import read_form
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.service import Service, ServiceParam


@post("/detect", status_code=200, guards=[requires("read")])
async def detect(request: AnyRequest, service: ServiceParam) -> Body:
    """Find the faces of a picture, the largest first; none is no error."""
    form = await read_form(request, DetectFields, ["image"], service.config)
    picture, most = form.picture("image"), service.config.limits.faces
    asked = min(form.fields.max_faces or most, most)

    def work() -> Body:
        analyser, profile = _looker(request, service, form.fields)
        image = service.engine.read(picture.source)
        find = many_faces(profile, analyser.find, asked)
        return {"faces": [face_body(face, image) for face in analyser.detect([image], find)[0]]}

    return told(request, **await service.run(request, lambda: _timed(work)))


@post("/compare", status_code=200, guards=[requires("read")])
async def compare(request: AnyRequest, service: ServiceParam) -> Body:
    """Compare the faces of two pictures that count."""
    form = await read_form(request, CompareFields, ["source", "target"], service.config)
    source, target = form.picture("source"), form.picture("target")

    def work() -> Body:
        analyser, profile = _looker(request, service, form.fields)
        one, other = (service.engine.read(each.source) for each in (source, target))
        verifier = Verifier(analyser, service.engine.config.recognition.threshold)
        find = one_face(profile, analyser.find)
        answer = verifier.verify(one, other, find, form.fields.threshold)
        if answer.similarity is None:
            raise FaceNotFoundError("there is no usable face in one of the pictures")
        return {
            "matched": answer.match,
            "similarity": answer.similarity,
            "threshold": answer.threshold,
            "source_face": _side(answer.faces[0], one),
            "target_face": _side(answer.faces[1], other),
        }

    return told(request, **await service.run(request, lambda: _timed(work)))


@post("/embeddings", status_code=200, guards=[requires("read")])
async def embeddings(request: AnyRequest, service: ServiceParam) -> Body:
    """Turn the face of a picture that counts into a vector."""
    form = await read_form(request, LookFields, ["image"], service.config)
    picture = form.picture("image")

    def work() -> Body:
        analyser, profile = _looker(request, service, form.fields)
        image = service.engine.read(picture.source)
        faces = analyser.analyse([image], Want(), one_face(profile, analyser.find))[0]
        embedding = faces[0].embedding if faces else None
        if embedding is None:
            raise FaceNotFoundError("there is no usable face in the picture")
        vector = np.round(embedding.vector.astype(np.float64), 8).tolist()
        face = face_body(faces[0], image) | {"embedding": vector}
        return {"faces": [face], "model": space_body(embedding.space)}

    return told(request, **await service.run(request, lambda: _timed(work)))


def _looker(
    request: AnyRequest, service: Service, fields: LookFields
) -> tuple[Analyser, DetectionFields]:
    """Return what looks at pictures, as the collection wants it where one is named."""
    analyser = service.engine.analyser
    if fields.collection_id is None:
        return analyser, DetectionFields()
    check_collection(request, fields.collection_id)
    collection = service.engine.gallery(fields.collection_id).info()
    return analyser.in_space(collection.space), profile_of(collection)


def _side(face: Face | None, image: Image) -> dict[str, Any] | None:
    return face_body(face, image) if face else None


def _timed(work: Callable[[], Body]) -> Body:
    """Return what `work` returns, and how long it took."""
    begun = time.perf_counter()
    return work() | {"processing_ms": round((time.perf_counter() - begun) * 1000, 3)}
