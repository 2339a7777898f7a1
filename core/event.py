"""What happens in front of a camera, as facts that can be kept, sent and counted."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import attrs

from facecv.core.attributes import AttributeValue
from facecv.core.embedding import Embedding
from facecv.core.gallery import new_id
from facecv.core.geometry import Box

EventKind = Literal[
    "source.up",
    "source.down",
    "face.appeared",
    "person.recognised",
    "stranger.seen",
    "face.left",
]


@attrs.frozen(eq=False)
class Event:
    """Something that happened in front of a camera, or to it.

    Attributes:
        kind: what.
        source: name of the stream.
        time: when, with its time zone.
        id: unique.
        collection: where persons were looked for; empty: nowhere.
        track: which face: the same text for all events of one stay of one face, unique over all
            runs; empty for events of the source.
        box: where the face was, pixels of the frame.
        person_id: who, for a face that was recognised; empty otherwise.
        person: that person's name.
        similarity: cosine with the enrolled face that is most alike.
        quality: of the best view so far, 0..1.
        attributes: what attribute models say about the face.
        detail: why a source went down, in words.
        crop: the aligned face as a JPEG file, where crops are kept.
        embedding: of the best view of a stranger; stays in the event store, never in JSON.
    """

    kind: EventKind
    source: str
    time: datetime
    id: str = attrs.field(factory=new_id)
    collection: str = ""
    track: str = ""
    box: Box | None = None
    person_id: str = ""
    person: str = ""
    similarity: float | None = None
    quality: float | None = None
    attributes: Mapping[str, AttributeValue] = attrs.field(factory=dict)
    detail: str = ""
    crop: bytes | None = attrs.field(default=None, repr=False)
    embedding: Embedding | None = None


@attrs.frozen
class EventQuery:
    """Which events; what is empty or None does not matter.

    Attributes:
        kinds: any of these.
        source: name of the stream.
        collection: name of the collection.
        person_id: who.
        track: which face.
        since: not before.
        until: before.
    """

    kinds: frozenset[EventKind] = frozenset()
    source: str = ""
    collection: str = ""
    person_id: str = ""
    track: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def accepts(self, event: Event) -> bool:
        """Return whether the event is one of them."""
        texts = ("source", "collection", "person_id", "track")
        return (
            (not self.kinds or event.kind in self.kinds)
            and all(getattr(self, key) in {"", getattr(event, key)} for key in texts)
            and (self.since is None or event.time >= self.since)
            and (self.until is None or event.time < self.until)
        )


@attrs.frozen(eq=False)
class EventPage:
    """Some of the events that were asked for.

    Attributes:
        events: in order.
        cursor: where the next page begins; empty: there is no more.
        positions: of each event: the cursor of a page that begins behind it.
    """

    events: tuple[Event, ...]
    cursor: str = ""
    positions: tuple[str, ...] = ()


@attrs.frozen
class DeadLetter:
    """An event that a sink could not deliver, and has given up.

    Attributes:
        event: as it was handed over.
        failures: how many tries were made.
        problem: what went wrong last, without secrets.
    """

    event: Mapping[str, Any]
    failures: int
    problem: str


def event_json(event: Event) -> dict[str, Any]:
    """Return an event as a JSON object: all keys always there, null where nothing is known.

    Times are ISO 8601, boxes [x1, y1, x2, y2] in pixels, the crop is base64 of a JPEG file.
    """
    person = {"id": event.person_id, "name": event.person} if event.person_id else None
    attributes = {name: value.as_json() for name, value in event.attributes.items()}
    return {
        "id": event.id,
        "kind": event.kind,
        "time": event.time.isoformat(),
        "source": event.source,
        "collection": event.collection or None,
        "track": event.track or None,
        "box": event.box and [round(value, 2) for value in event.box.as_tuple()],
        "person": person,
        "similarity": _rounded(event.similarity),
        "quality": _rounded(event.quality),
        "attributes": attributes,
        "detail": event.detail or None,
        "crop": event.crop and base64.b64encode(event.crop).decode("ascii"),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
