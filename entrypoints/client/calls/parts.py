"""What requests are made of."""

import json
from collections.abc import Mapping
from typing import Any

from facecv.entrypoints.client.results import RemoteEmbedding
from facecv.entrypoints.client.wire import Picture, content_of

LINES = "application/x-ndjson"
Json = Mapping[str, Any]


def upload(field: str, picture: Picture) -> tuple[str, tuple[Any, bytes]]:
    """Return a picture as a part of a form."""
    name, content = content_of(picture)
    return field, (name or None, content)


def embedding_body(embedding: RemoteEmbedding) -> dict[str, Any]:
    """Return an embedding as JSON."""
    space = dict(embedding.space)
    return {"vector": list(embedding.vector), "space": space, "norm": embedding.norm}


def fields_of(options: Json) -> dict[str, Any]:
    """Return options as fields of a form: objects as JSON, lists with commas."""
    fields: dict[str, Any] = {}
    for name, value in options.items():
        if isinstance(value, Mapping):
            fields[name] = json.dumps(dict(value))
        elif isinstance(value, list | tuple):
            fields[name] = ",".join(map(str, value))
        else:
            fields[name] = value
    return fields
