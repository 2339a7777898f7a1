"""What streams, their events and what is made of these look like in answers."""

from datetime import date, datetime
from typing import Any, Literal

import msgspec

from facecv.core.services.attendance import Attendance
from facecv.core.services.strangers import Stranger


class StreamStateShape(msgspec.Struct):
    """How a stream is doing.

    Attributes:
        state: `retrying` says that the source is lost or cannot be opened; `ended` is a file that
            is over; `stopped` a stream that is switched off.
        problem: what went wrong last; empty while all is well.
        outages: how many times the source was lost.
        frames: frames that the source has produced, dropped ones included.
        dropped: frames that nobody took in time.
        fps: frames a second that were watched of late.
        latency_ms: from a frame's arrival until its events were told, the median of late; null
            before the first event.
        faces: in the newest frame.
        tracks: faces that were followed.
        recognitions: embeddings that were computed.
        events: events that were told.
    """

    state: Literal["connecting", "running", "retrying", "ended", "stopped"]
    problem: str = ""
    outages: int = 0
    frames: int = 0
    dropped: int = 0
    fps: float = 0.0
    latency_ms: float | None = None
    faces: int = 0
    tracks: int = 0
    recognitions: int = 0
    events: int = 0


class StreamShape(msgspec.Struct):
    """A stream.

    Attributes:
        id: by which it is asked for.
        name: the `source` of its events.
        address: of its source, without user, password and query.
        collection: where persons are looked for.
        fps: the most frames a second; null: as the server is set.
        enabled: whether it is watched.
        sinks: where its events go besides, without user, password and query.
        created: when it was made.
        state: how it is doing.
    """

    id: str
    name: str
    address: str
    collection: str
    fps: float | None
    enabled: bool
    sinks: list[str]
    created: datetime
    state: StreamStateShape


class EventPersonShape(msgspec.Struct):
    """Who was recognised."""

    id: str
    name: str


class EventShape(msgspec.Struct):
    """Something that happened in front of a camera, or to it.

    Attributes:
        id: unique.
        kind: what.
        time: when.
        source: name of the stream.
        collection: where persons were looked for.
        track: which face; the same for all events of one stay.
        box: x1, y1, x2, y2 in pixels of the frame.
        person: who, for a face that was recognised.
        similarity: cosine with the enrolled face that is most alike.
        quality: of the best view so far, 0..1.
        attributes: what attribute models say.
        detail: why a source went down.
        crop: the aligned face as a JPEG file in base64, where crops are kept.
    """

    id: str
    kind: str
    time: datetime
    source: str
    collection: str | None
    track: str | None
    box: list[float] | None
    person: EventPersonShape | None
    similarity: float | None
    quality: float | None
    attributes: dict[str, Any]
    detail: str | None
    crop: str | None


class AttendanceShape(msgspec.Struct):
    """One person on one day.

    Attributes:
        day: in the time zone that was asked for.
        person: who.
        first: first in.
        last: last out.
        visits: how many stays.
        sources: the streams that saw the person.
    """

    day: date
    person: EventPersonShape
    first: datetime
    last: datetime
    visits: int
    sources: list[str]


class StrangerShape(msgspec.Struct):
    """Somebody unknown who was seen.

    Attributes:
        id: by which the stranger is enrolled.
        seen: how many times.
        first: first time.
        last: last time.
        quality: of the best sighting, 0..1.
        sources: the streams that saw the stranger.
        events: ids of the sightings, oldest first.
    """

    id: str
    seen: int
    first: datetime
    last: datetime
    quality: float | None
    sources: list[str]
    events: list[str]


def attendance_shape(entry: Attendance) -> AttendanceShape:
    """Return one entry of an attendance report."""
    return AttendanceShape(
        entry.day,
        EventPersonShape(entry.person_id, entry.person),
        entry.first,
        entry.last,
        entry.visits,
        list(entry.sources),
    )


def stranger_shape(stranger: Stranger) -> StrangerShape:
    """Return a stranger."""
    return StrangerShape(
        stranger.id,
        len(stranger.events),
        stranger.events[0].time,
        stranger.events[-1].time,
        stranger.best.quality,
        sorted({event.source for event in stranger.events}),
        [event.id for event in stranger.events],
    )
