"""Galleries: collections of persons, their faces, and what a search in them says."""

import math
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Literal

import attrs

from facecv.core.arrays import Pixels, check_pixels
from facecv.core.embedding import Embedding, EmbeddingSpace
from facecv.core.errors import InputError
from facecv.core.quality import GATES, GateName

MetadataValue = str | int | float | bool | None
Metadata = Mapping[str, MetadataValue]
"""A flat JSON object; searches filter on equality of its values."""
NO_METADATA: Metadata = MappingProxyType({})

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def new_id() -> str:
    """Return a fresh identifier: 32 hexadecimal digits."""
    return uuid.uuid4().hex


def now() -> datetime:
    """Return the present moment, with its time zone (UTC)."""
    return datetime.now(UTC)


def _check_collection_name(_: object, __: object, value: str) -> None:
    if not _NAME.fullmatch(value):
        raise InputError(
            f"{value!r} is not a collection name",
            hint="use 1 to 100 letters, digits, '.', '_' or '-', starting with a letter or digit",
        )


def _check_person_name(_: object, __: object, value: str) -> None:
    if not value.strip() or len(value) > 200 or not value.isprintable():
        raise InputError(f"{value!r} is not a person's name: 1 to 200 printable characters")


def _check_id(_: object, __: object, value: str) -> None:
    if not value or len(value) > 200 or not value.isprintable():
        raise InputError(f"{value!r} is not an identifier: 1 to 200 printable characters")


def _check_metadata(_: object, __: object, value: Metadata) -> None:
    for key, item in value.items():
        if not isinstance(item, str | int | float | None):
            raise InputError(f"metadata {key!r} must be text, a number, true, false or null")
        if isinstance(item, int | float) and not _storable(item):
            raise InputError(f"metadata {key!r} must be finite and fit in 64 bits, got {item!r}")


def _storable(number: float) -> bool:
    """Return whether a number survives JSON and databases unchanged."""
    if isinstance(number, int):
        return -(2**63) <= number < 2**63
    return math.isfinite(number)


def _check_time(_: object, __: object, value: datetime) -> None:
    if value.tzinfo is None:
        raise InputError(f"the time {value} has no time zone")


def _check_crop(_: object, __: object, value: Pixels | None) -> None:
    if value is not None:
        check_pixels(value)


def _readable(text: str) -> str:
    """Return `text` with what no UTF-8 can carry (odd file names have it) replaced by ``?``."""
    return text.encode("utf-8", "replace").decode("utf-8")


@attrs.frozen
class Collection:
    """A named set of persons whose faces live in one embedding space.

    Attributes:
        name: unique in its gallery.
        space: the space of all its embeddings; never changes in place.
        threshold: cosine from which a face counts as known, -1..1; None: the model's own.
        margin: the best two persons closer than this are ambiguous; None: the engine's own.
        gate: the quality that enrolled faces must have; None: the engine's own.
        store_crops: whether the aligned crops of enrolled faces are kept.
        metadata: free facts.
        created: when it was made.
    """

    name: str = attrs.field(validator=_check_collection_name)
    space: EmbeddingSpace
    threshold: float | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(
            [attrs.validators.ge(-1.0), attrs.validators.le(1.0)],
        ),
    )
    margin: float | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.ge(0.0))
    )
    gate: GateName | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.in_(GATES))
    )
    store_crops: bool = False
    metadata: Metadata = attrs.field(factory=dict, validator=_check_metadata)
    created: datetime = attrs.field(factory=now, validator=_check_time)


@attrs.frozen
class Person:
    """Somebody enrolled in a collection. Two persons may share a name, never an id."""

    name: str = attrs.field(validator=_check_person_name)
    id: str = attrs.field(factory=new_id, validator=_check_id)
    metadata: Metadata = attrs.field(factory=dict, validator=_check_metadata)
    created: datetime = attrs.field(factory=now, validator=_check_time)


@attrs.frozen(eq=False)
class FaceRecord:
    """One enrolled face of a person.

    Attributes:
        embedding: its vector and space.
        id: unique in its collection.
        source: where the picture came from (a file's name), for people to read.
        digest: SHA-256 of the aligned crop, by which the same picture is recognised; may be empty.
        quality: score at enrolment, 0..1; None if unknown.
        crop: aligned uint8 [112, 112, 3] BGR; None unless the collection stores crops.
        created: when it was enrolled.
    """

    embedding: Embedding
    id: str = attrs.field(factory=new_id, validator=_check_id)
    source: str = attrs.field(default="", converter=_readable)
    digest: str = ""
    quality: float | None = None
    crop: Pixels | None = attrs.field(default=None, repr=False, validator=_check_crop)
    created: datetime = attrs.field(factory=now, validator=_check_time)


NewPerson = tuple[Person, Sequence[FaceRecord]]
"""A person to be enrolled, with the faces."""


@attrs.frozen
class Counts:
    """How much is in a collection."""

    persons: int
    faces: int


@attrs.frozen
class SearchQuery:
    """How to search.

    Attributes:
        top_k: the most persons to return for a probe.
        threshold: the least cosine of a match, inclusive; None: no limit.
        where: only persons whose metadata has all these values.
        persons: only persons with these ids; None: all.
    """

    top_k: int = attrs.field(default=5, validator=attrs.validators.ge(1))
    threshold: float | None = None
    where: Metadata = attrs.field(factory=dict, validator=_check_metadata)
    persons: frozenset[str] | None = None

    @property
    def narrows(self) -> bool:
        """Whether any person may be left out, however alike."""
        return bool(self.where) or self.persons is not None

    def accepts(self, person: Person) -> bool:
        """Return whether a person may be found; 1 equals 1.0, but never true."""
        return (self.persons is None or person.id in self.persons) and all(
            key in person.metadata
            and person.metadata[key] == value
            and isinstance(person.metadata[key], bool) == isinstance(value, bool)
            for key, value in self.where.items()
        )


@attrs.frozen
class Match:
    """A person that resembles a probe.

    Attributes:
        person: who.
        face_id: the enrolled face that is most alike.
        similarity: cosine with that face, -1..1.
    """

    person: Person
    face_id: str
    similarity: float


Status = Literal["match", "ambiguous", "unknown"]


@attrs.frozen
class Identification:
    """Who a face is.

    Attributes:
        status: ``match`` (the first of `matches`), ``ambiguous`` (the best two persons are closer
            than the margin) or ``unknown`` (nobody reaches the threshold).
        matches: persons at or above the threshold, by falling similarity; empty if unknown.
        threshold: the cosine that was needed.
        best: the highest similarity seen, whether or not it suffices; None in an empty collection.
    """

    status: Status
    matches: tuple[Match, ...]
    threshold: float
    best: float | None = None

    @property
    def person(self) -> Person | None:
        """The person, if and only if the status is ``match``."""
        return self.matches[0].person if self.status == "match" else None
