"""What a server answered, as values. Fields that a newer server adds are left out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

import attrs

ItemT = TypeVar("ItemT")


@attrs.frozen
class PixelBox:
    """A box in pixels of the upright picture."""

    x: float
    y: float
    width: float
    height: float


@attrs.frozen
class Place:
    """Where a face is: in pixels, and in shares of the picture's sides."""

    pixels: PixelBox
    normalized: Mapping[str, float]


@attrs.frozen
class RemoteEmbedding:
    """An embedding as the server gives and takes it; `space` says which may be compared."""

    vector: list[float] = attrs.field(repr=False)
    space: Mapping[str, Any]
    norm: float = 1.0


@attrs.frozen
class RemoteFace:
    """A face; what was not asked for is None. Landmarks are [x, y] in pixels."""

    box: Place
    score: float
    landmarks: list[list[float]] | None = None
    quality: Mapping[str, float] | None = None
    embedding: RemoteEmbedding | None = None
    attributes: Mapping[str, Any] | None = None


@attrs.frozen
class Size:
    """A picture's size in pixels, upright."""

    width: int
    height: int


@attrs.frozen
class FacesFound:
    """The faces of a picture."""

    image: Size
    faces: list[RemoteFace]


@attrs.frozen
class Comparison:
    """Whether two faces are of one person; see `facecv.core.services.verify.Verification`."""

    match: bool
    similarity: float
    threshold: float
    far: float | None = None
    faces: list[RemoteFace | None] = attrs.field(factory=list)


@attrs.frozen
class RemoteCollection:
    """A collection; see `facecv.core.gallery.Collection`."""

    name: str
    space: Mapping[str, Any]
    threshold: float | None
    margin: float | None
    gate: str | None
    store_crops: bool
    metadata: Mapping[str, Any]
    created: datetime
    persons: int
    faces: int


@attrs.frozen
class RemotePerson:
    """Somebody enrolled; `faces` is None where they were not counted."""

    id: str
    name: str
    metadata: Mapping[str, Any]
    created: datetime
    faces: int | None = None


@attrs.frozen
class EnrolledFace:
    """An enrolled face, without its embedding."""

    id: str
    source: str
    quality: float | None
    has_crop: bool
    created: datetime


@attrs.frozen
class TakenImage:
    """A photo that was taken; `face_id` is None if the person has that very face already."""

    index: int
    filename: str
    status: Literal["enrolled", "known"]
    face_id: str | None = None
    quality: float | None = None


@attrs.frozen
class RejectedPhoto:
    """A photo that was not taken; `reason` is the code of the error."""

    index: int
    filename: str
    reason: str
    error: Mapping[str, Any]


@attrs.frozen
class Enrolled:
    """What became of a person's photos."""

    person: RemotePerson
    created: bool
    images: list[TakenImage]
    rejected_images: list[RejectedPhoto]


@attrs.frozen
class RemoteMatch:
    """A person that resembles a face; `similarity` is the cosine."""

    person: RemotePerson
    face_id: str
    similarity: float


@attrs.frozen
class FoundFace:
    """Who a face is; `person` is None unless the status is ``match``."""

    status: Literal["match", "ambiguous", "unknown"]
    person: RemotePerson | None
    matches: list[RemoteMatch]
    threshold: float
    best: float | None = None
    face: RemoteFace | None = None


@attrs.frozen
class Added:
    """How much an import added."""

    persons: int
    faces: int


@attrs.frozen
class RemoteJob:
    """A job; ``done``, ``failed`` and ``cancelled`` are final."""

    id: str
    kind: str
    state: str
    progress: Mapping[str, Any]
    created: datetime
    result: Any = None
    error: Mapping[str, Any] | None = None


@attrs.frozen
class Page(Generic[ItemT]):
    """A page of a list; `next_cursor` is None on the last one."""

    items: list[ItemT]
    next_cursor: str | None
