"""The JSON of results; README documents it, scripts rely on it."""

from typing import TYPE_CHECKING, Any

from facecv.core.errors import FaceCVError

if TYPE_CHECKING:
    from facecv.core.face import Face
    from facecv.core.gallery import Collection, Counts, FaceRecord, Identification, Match, Person
    from facecv.core.geometry import Box
    from facecv.core.image import Image
    from facecv.core.services.enrol import PhotoResult

Shape = dict[str, Any]


def picture_shape(image: "Image", faces: list[Shape]) -> Shape:
    """Return a picture with its faces; width and height in pixels."""
    return {"source": image.source, "width": image.width, "height": image.height, "faces": faces}


def error_shape(error: FaceCVError) -> Shape:
    """Return an error: a stable code and words."""
    return {"code": error.code, "message": str(error)}


def box_shape(box: "Box") -> list[float]:
    """Return a box as [x1, y1, x2, y2] in pixels, to a hundredth."""
    return [round(value, 2) for value in box.as_tuple()]


def face_shape(face: "Face") -> Shape:
    """Return where a face is and how good; landmarks and quality may be null."""
    points = None
    if face.landmarks is not None:
        points = [[round(float(x), 2), round(float(y), 2)] for x, y in face.landmarks]
    quality = None if face.quality is None else round(face.quality.score, 4)
    return {
        "box": box_shape(face.box),
        "score": round(face.score, 4),
        "landmarks": points,
        "quality": quality,
    }


def embedded_shape(face: "Face") -> Shape:
    """Return a face with its embedding and the space it lives in; both null without landmarks."""
    if face.embedding is None:
        return face_shape(face) | {"embedding": None, "space": None}
    vector = [round(float(value), 7) for value in face.embedding.vector]
    return face_shape(face) | {"embedding": vector, "space": str(face.embedding.space)}


def analyzed_shape(face: "Face") -> Shape:
    """Return everything about a face."""
    import attrs

    parts = None
    if face.quality is not None:
        parts = {name: round(part, 4) for name, part in attrs.asdict(face.quality).items()}
    attributes = {name: value.as_json() for name, value in face.attributes.items()}
    return embedded_shape(face) | {"quality_parts": parts, "attributes": attributes}


def match_shape(match: "Match") -> Shape:
    """Return a person that resembles a face."""
    return {
        "person": match.person.id,
        "name": match.person.name,
        "similarity": round(match.similarity, 6),
        "face": match.face_id,
        "metadata": dict(match.person.metadata),
    }


def identified_shape(face: "Face", who: "Identification") -> Shape:
    """Return a face and who it is; `matches` is empty for an unknown face.

    With a liveness gate it holds what a model said about that, too.
    """
    return {
        "box": box_shape(face.box),
        "score": round(face.score, 4),
        "status": who.status,
        "threshold": who.threshold,
        "best": who.best,
        "matches": [match_shape(match) for match in who.matches],
        **{name: value.as_json() for name, value in face.attributes.items()},
    }


def photo_shape(photo: "PhotoResult") -> Shape:
    """Return what became of a photo."""
    quality = None if photo.quality is None else round(photo.quality, 4)
    shape: Shape = {"source": photo.source, "status": photo.status, "quality": quality}
    if photo.face_id:
        shape["face"] = photo.face_id
    if photo.others:
        shape["others"] = photo.others
    if photo.liveness:
        shape["liveness"] = photo.liveness.as_json()
    return shape | ({"error": error_shape(photo.error)} if photo.error else {})


def person_shape(person: "Person") -> Shape:
    """Return a person without faces."""
    return {
        "person": person.id,
        "name": person.name,
        "metadata": dict(person.metadata),
        "created": person.created.isoformat(),
    }


def record_shape(face: "FaceRecord") -> Shape:
    """Return an enrolled face, without its embedding."""
    return {
        "face": face.id,
        "source": face.source,
        "quality": None if face.quality is None else round(face.quality, 4),
        "crop": face.crop is not None,
        "created": face.created.isoformat(),
    }


def collection_shape(collection: "Collection", counts: "Counts") -> Shape:
    """Return a collection and how much is in it."""
    return {
        "name": collection.name,
        "persons": counts.persons,
        "faces": counts.faces,
        "space": str(collection.space),
        "threshold": collection.threshold,
        "margin": collection.margin,
        "store_crops": collection.store_crops,
        "metadata": dict(collection.metadata),
        "created": collection.created.isoformat(),
    }
