"""Requests about the server and its models."""

from typing import Literal
from urllib.parse import quote

from facecv.entrypoints.client.calls.parts import Json
from facecv.entrypoints.client.results import RemoteJob
from facecv.entrypoints.client.wire import Call, plain, structured, text


def ask(path: str) -> Call[Json]:
    """Return a call that only asks, such as ``/v1/system``."""
    return Call("GET", path, plain)


def metrics() -> Call[str]:
    """Return a call that asks for the figures that Prometheus reads."""
    return Call("GET", "/metrics", text, accept="text/plain")


def change_model(action: Literal["load", "unload", "switch"], body: Json) -> Call[Json]:
    """Return a call that changes which models are loaded."""
    return Call("POST", f"/v1/models/{action}", plain, json=dict(body))


def pull(pack: str) -> Call[RemoteJob]:
    """Return a call that downloads a pack."""
    path = f"/v1/models/packs/{quote(pack, safe='')}/pull"
    return Call("POST", path, structured(RemoteJob, "job"))


def verify_pack(pack: str) -> Call[Json]:
    """Return a call that checks the files of a pack."""
    return Call("POST", f"/v1/models/packs/{quote(pack, safe='')}/verify", plain)


def remove_pack(pack: str) -> Call[Json]:
    """Return a call that deletes the files of a pack."""
    return Call("DELETE", f"/v1/models/packs/{quote(pack, safe='')}", plain)
