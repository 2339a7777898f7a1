"""What a server answered about streams, as values."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal

import attrs

from facecv.entrypoints.client.results import RemotePerson


@attrs.frozen
class StreamState:
    """How a stream is doing; see `facecv.entrypoints.http.stream_shapes.StreamStateShape`."""

    state: Literal["connecting", "running", "retrying", "ended", "stopped"]
    problem: str
    outages: int
    frames: int
    dropped: int
    fps: float
    latency_ms: float | None
    faces: int
    tracks: int
    recognitions: int
    events: int


@attrs.frozen
class RemoteStream:
    """A stream; addresses come without user, password and query."""

    id: str
    name: str
    address: str
    collection: str
    fps: float | None
    enabled: bool
    sinks: list[str]
    created: datetime
    state: StreamState


@attrs.frozen
class EventPerson:
    """Who was recognised."""

    id: str
    name: str


@attrs.frozen
class RemoteEvent:
    """An event; see `facecv.core.event.Event`.

    Attributes:
        box: x1, y1, x2, y2 in pixels of the frame.
        crop: the aligned face, a JPEG file.
        position: where to go on following after it; empty for events that were listed.
    """

    id: str
    kind: str
    time: datetime
    source: str
    collection: str | None = None
    track: str | None = None
    box: list[float] | None = None
    person: EventPerson | None = None
    similarity: float | None = None
    quality: float | None = None
    attributes: Mapping[str, Any] = attrs.field(factory=dict)
    detail: str | None = None
    crop: bytes | None = attrs.field(default=None, repr=False)
    position: str = ""


@attrs.frozen
class RemoteAttendance:
    """One person on one day: first in, last out, number of stays."""

    day: date
    person: EventPerson
    first: datetime
    last: datetime
    visits: int
    sources: list[str]


@attrs.frozen
class RemoteStranger:
    """Somebody unknown who was seen; `events` are the ids of the sightings, oldest first."""

    id: str
    seen: int
    first: datetime
    last: datetime
    quality: float | None
    sources: list[str]
    events: list[str]


@attrs.frozen
class EnrolledStranger:
    """The person that a stranger became, and how many faces were enrolled."""

    person: RemotePerson
    added: int
