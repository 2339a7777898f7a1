"""Events as rows of a table, and back."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import numpy as np

from facecv.core.attributes import AttributeValue
from facecv.core.embedding import Embedding, EmbeddingSpace
from facecv.core.event import Event, EventQuery
from facecv.core.geometry import Box

Row = Mapping[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VECTOR = np.dtype("<f4")
COLUMNS = (
    *("id", "kind", "source", "collection", "track", "person_id", "time"),
    *("body", "crop", "space", "vector", "added"),
)


def event_row(event: Event) -> dict[str, object]:
    """Return what a row holds but for ``added``; times are whole microseconds since the epoch."""
    embedding = event.embedding
    body = {
        "box": event.box and event.box.as_tuple(),
        "person": event.person,
        "similarity": event.similarity,
        "quality": event.quality,
        "attributes": {name: value.as_json() for name, value in event.attributes.items()},
        "detail": event.detail,
    }
    return {
        "id": event.id,
        "kind": event.kind,
        "source": event.source,
        "collection": event.collection,
        "track": event.track,
        "person_id": event.person_id,
        "time": microseconds(event.time),
        "body": json.dumps(body),
        "crop": event.crop,
        "space": embedding and json.dumps(attrs.asdict(embedding.space)),
        "vector": embedding and embedding.vector.astype(_VECTOR).tobytes(),
    }


def as_event(row: Row) -> Event:
    """Return the event of a row."""
    body = json.loads(row["body"])
    return Event(
        kind=row["kind"],
        source=row["source"],
        time=_EPOCH + timedelta(microseconds=row["time"]),
        id=row["id"],
        collection=row["collection"],
        track=row["track"],
        box=body["box"] and Box(*body["box"]),
        person_id=row["person_id"],
        person=body["person"],
        similarity=body["similarity"],
        quality=body["quality"],
        attributes={
            name: AttributeValue.from_json(value) for name, value in body["attributes"].items()
        },
        detail=body["detail"],
        crop=row["crop"],
        embedding=_embedding(row),
    )


def condition(query: EventQuery) -> tuple[str, list[Any]]:
    """Return a WHERE condition that is true for what the query means, and its values."""
    texts = ("source", "collection", "person_id", "track")
    parts: list[tuple[str, list[Any]]] = [
        (f"{key} = ?", [getattr(query, key)]) for key in texts if getattr(query, key)
    ]
    if query.person_id:
        parts.append(("person_id <> ''", []))  # the index of persons holds no others
    if query.kinds:
        marks = ", ".join("?" * len(query.kinds))
        parts.append((f"kind IN ({marks})", sorted(query.kinds)))
    if query.since:
        parts.append(("time >= ?", [microseconds(query.since)]))
    if query.until:
        parts.append(("time < ?", [microseconds(query.until)]))
    values = [value for _, some in parts for value in some]
    return " AND ".join(["1", *(text for text, _ in parts)]), values


def microseconds(moment: datetime) -> int:
    """Return whole microseconds since the epoch."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _embedding(row: Row) -> Embedding | None:
    if row["vector"] is None:
        return None
    space = EmbeddingSpace(**json.loads(row["space"]))
    return Embedding(np.frombuffer(row["vector"], _VECTOR).astype(np.float32), space)
