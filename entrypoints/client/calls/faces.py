"""Requests that look at pictures."""

import base64
from typing import Any

from facecv.entrypoints.client.calls.parts import Json, embedding_body, fields_of, upload
from facecv.entrypoints.client.results import Comparison, FacesFound, RemoteEmbedding
from facecv.entrypoints.client.wire import Call, Picture, content_of, raw, structured


def look(operation: str, image: Picture, options: Json) -> Call[FacesFound]:
    """Return a call of ``detect``, ``analyze`` or ``embed``."""
    return Call(
        "POST",
        f"/v1/{operation}",
        structured(FacesFound),
        form=fields_of(options),
        files=[upload("image", image)],
    )


def draw(image: Picture, options: Json) -> Call[bytes]:
    """Return a call of ``draw``."""
    files = [upload("image", image)]
    return Call("POST", "/v1/draw", raw, form=fields_of(options), files=files, accept="image/*")


def verify(
    one: Picture | RemoteEmbedding, other: Picture | RemoteEmbedding, options: Json
) -> Call[Comparison]:
    """Return a call of ``verify``."""
    sides = {"one": one, "other": other}
    body: dict[str, Any] = dict(options)
    for name, side in sides.items():
        if isinstance(side, RemoteEmbedding):
            body[name] = embedding_body(side)
        else:
            file, content = content_of(side)
            body[name] = base64.b64encode(content).decode() if file else content.decode()
    return Call("POST", "/v1/verify", structured(Comparison), json=body)
