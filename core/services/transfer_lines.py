"""The lines of an exported gallery: values as JSON, and back."""

import base64
import binascii
import json
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray

from facecv.core.embedding import Embedding, EmbeddingSpace
from facecv.core.errors import FaceCVError, InputError
from facecv.core.gallery import Collection, Counts, FaceRecord, Metadata, Person

FORMAT = "facecv-gallery"
VERSION = 1

_VECTOR = np.dtype("<f4")
_PIXEL = np.dtype("u1")
_ValueT = TypeVar("_ValueT")


def header_line() -> str:
    """Return the first line of an export."""
    return _line("header", format=FORMAT, version=VERSION)


def collection_line(collection: Collection) -> str:
    """Return a collection as a line."""
    return _line(
        "collection",
        name=collection.name,
        space=attrs.asdict(collection.space),
        threshold=collection.threshold,
        margin=collection.margin,
        gate=collection.gate,
        store_crops=collection.store_crops,
        metadata=dict(collection.metadata),
        created=collection.created.isoformat(),
    )


def person_line(person: Person) -> str:
    """Return a person as a line."""
    return _line(
        "person",
        id=person.id,
        name=person.name,
        metadata=dict(person.metadata),
        created=person.created.isoformat(),
    )


def face_line(face: FaceRecord) -> str:
    """Return a face as a line; it belongs to the person before it."""
    return _line(
        "face",
        id=face.id,
        vector=_array(face.embedding.vector, _VECTOR),
        norm=face.embedding.norm,
        source=face.source,
        digest=face.digest,
        quality=face.quality,
        crop=None if face.crop is None else _array(face.crop, _PIXEL),
        created=face.created.isoformat(),
    )


def end_line(counts: Counts) -> str:
    """Return the last line of an export."""
    return _line("end", persons=counts.persons, faces=counts.faces)


@attrs.frozen
class Line:
    """A JSON object and the number of its line. Whatever is wrong with it is an `InputError`."""

    number: int
    fields: dict[str, Any]

    def value(self, key: str, *kinds: type[_ValueT]) -> _ValueT:
        """Return a field that is of one of `kinds`; a whole number is a number too."""
        if key not in self.fields:
            raise InputError(f"{key!r} is missing")
        value = self.fields[key]
        if float in kinds and type(value) is int:
            value = float(value)
        if type(value) not in kinds:
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise InputError(f"{key!r} must be {wanted}, got {type(value).__name__}")
        return value  # type: ignore[no-any-return]

    def text(self, key: str) -> str:
        """Return a text."""
        return self.value(key, str)

    def whole(self, key: str) -> int:
        """Return a whole number."""
        return self.value(key, int)

    def number_or_none(self, key: str) -> float | None:
        """Return a number or None."""
        return self.value(key, float, type(None))

    def time(self, key: str) -> datetime:
        """Return a moment in ISO 8601."""
        return datetime.fromisoformat(self.text(key))

    def metadata(self) -> Metadata:
        """Return the metadata."""
        return self.value("metadata", dict)

    def part(self, key: str) -> "Line":
        """Return an object inside this one."""
        return Line(self.number, self.value(key, dict))

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """Put the line's number into every error of ours; make others `InputError`."""
        try:
            yield
        except FaceCVError as error:
            if "line" in error.details:
                raise
            raise type(error)(
                f"line {self.number}: {error.message}",
                hint=error.hint,
                details={**error.details, "line": self.number},
            ) from error
        except (ValueError, TypeError) as error:
            raise InputError(
                f"line {self.number}: {error}", details={"line": self.number}
            ) from error


def read_lines(lines: Iterable[str]) -> Iterator[Line]:
    """Yield the objects of lines; skip empty lines."""
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _not_an_object(number) from error
        if not isinstance(fields, dict):
            raise _not_an_object(number)
        yield Line(number, fields)


def check_header(line: Line) -> None:
    """Raise `InputError` unless a line starts an export of this format and version."""
    if (line.text("format"), line.whole("version")) != (FORMAT, VERSION):
        raise InputError(f"this is not an export of format {FORMAT!r}, version {VERSION}")


def as_collection(line: Line) -> Collection:
    """Return the collection of a line."""
    space = line.part("space")
    return Collection(
        name=line.text("name"),
        space=EmbeddingSpace(
            model=space.text("model"),
            dim=space.whole("dim"),
            digest=space.text("digest"),
            preprocessing=space.text("preprocessing"),
        ),
        threshold=line.number_or_none("threshold"),
        margin=line.number_or_none("margin"),
        gate=line.fields.get("gate"),  # exports of version 0.1 have none
        store_crops=line.value("store_crops", bool),
        metadata=line.metadata(),
        created=line.time("created"),
    )


def as_person(line: Line) -> Person:
    """Return the person of a line."""
    return Person(
        name=line.text("name"),
        id=line.text("id"),
        metadata=line.metadata(),
        created=line.time("created"),
    )


def as_face(line: Line, space: EmbeddingSpace) -> FaceRecord:
    """Return the face of a line, whose vector is of `space`."""
    crop = None if line.value("crop", dict, type(None)) is None else line.part("crop")
    vector = _as_array(line.part("vector"), _VECTOR).astype(np.float32)
    return FaceRecord(
        embedding=Embedding(vector, space, norm=line.value("norm", float)),
        id=line.text("id"),
        source=line.text("source"),
        digest=line.text("digest"),
        quality=line.number_or_none("quality"),
        crop=None if crop is None else _as_array(crop, _PIXEL),
        created=line.time("created"),
    )


def as_counts(line: Line) -> Counts:
    """Return the counts of the last line."""
    return Counts(persons=line.whole("persons"), faces=line.whole("faces"))


def _line(kind: str, **fields: object) -> str:
    return json.dumps({"type": kind, **fields}, separators=(",", ":"))


def _array(array: NDArray[Any], dtype: np.dtype[Any]) -> dict[str, object]:
    data = base64.b64encode(array.astype(dtype).tobytes()).decode("ascii")
    return {"dtype": dtype.str, "shape": list(array.shape), "data": data}


def _as_array(part: Line, dtype: np.dtype[Any]) -> NDArray[Any]:
    if part.text("dtype") != dtype.str:
        raise InputError(f"an array of {dtype.str} was expected, got {part.text('dtype')!r}")
    try:
        data = base64.b64decode(part.text("data"), validate=True)
    except binascii.Error as error:
        raise InputError("an array is not in base64") from error
    shape = part.value("shape", list)
    if any(type(side) is not int or side < 0 for side in shape):
        raise InputError(f"{shape} is not the shape of an array")
    if math.prod(shape) * dtype.itemsize != len(data):
        raise InputError(f"{len(data)} bytes are not an array of shape {shape}")
    return np.frombuffer(data, dtype).reshape(shape)


def _not_an_object(number: int) -> InputError:
    return InputError(f"line {number}: this is not a JSON object", details={"line": number})
