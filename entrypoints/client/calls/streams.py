"""Requests about streams, their events and what is made of these."""

from urllib.parse import quote

from facecv.entrypoints.client.calls.parts import Json, upload
from facecv.entrypoints.client.results import Page
from facecv.entrypoints.client.stream_results import (
    EnrolledStranger,
    RemoteAttendance,
    RemoteEvent,
    RemoteStranger,
    RemoteStream,
    StreamState,
)
from facecv.entrypoints.client.wire import (
    Call,
    Picture,
    listed,
    nothing,
    paged,
    structured,
)


def create_stream(name: str, address: str, settings: Json) -> Call[RemoteStream]:
    """Return a call that makes a stream."""
    body = {"name": name, "address": address, **settings}
    return Call("POST", "/v1/streams", structured(RemoteStream, "stream"), json=body)


def streams(limit: int, cursor: str | None) -> Call[Page[RemoteStream]]:
    """Return a call that lists streams."""
    params = {"limit": limit, "cursor": cursor}
    return Call("GET", "/v1/streams", paged(RemoteStream, "streams"), params)


def stream(stream_id: str) -> Call[RemoteStream]:
    """Return a call that tells about a stream."""
    return Call("GET", _path(stream_id), structured(RemoteStream, "stream"))


def stream_state(stream_id: str) -> Call[StreamState]:
    """Return a call that tells how a stream is doing."""
    return Call("GET", _path(stream_id, "/state"), structured(StreamState, "state"))


def update_stream(stream_id: str, changes: Json) -> Call[RemoteStream]:
    """Return a call that changes a stream."""
    read = structured(RemoteStream, "stream")
    return Call("PATCH", _path(stream_id), read, json=dict(changes))


def delete_stream(stream_id: str) -> Call[None]:
    """Return a call that forgets a stream."""
    return Call("DELETE", _path(stream_id), nothing)


def push_frame(stream_id: str, image: Picture) -> Call[StreamState]:
    """Return a call that hands in a frame."""
    read = structured(StreamState, "state")
    files = [upload("image", image)]
    return Call("POST", _path(stream_id, "/frames"), read, form={}, files=files)


def preview(stream_id: str) -> Call[None]:
    """Return a call whose answer is pictures without end."""
    return Call("GET", _path(stream_id, "/preview.mjpeg"), nothing, accept="multipart/*")


def events(limit: int, cursor: str | None, filters: Json) -> Call[Page[RemoteEvent]]:
    """Return a call that lists events."""
    params = {"limit": limit, "cursor": cursor, **filters}
    return Call("GET", "/v1/events", paged(RemoteEvent, "events"), params)


def attendance(filters: Json) -> Call[list[RemoteAttendance]]:
    """Return a call that asks who was there."""
    return Call("GET", "/v1/attendance", listed(RemoteAttendance, "attendance"), filters)


def strangers(filters: Json) -> Call[list[RemoteStranger]]:
    """Return a call that lists strangers."""
    return Call("GET", "/v1/strangers", listed(RemoteStranger, "strangers"), filters)


def enroll_stranger(stranger_id: str, name: str, options: Json) -> Call[EnrolledStranger]:
    """Return a call that makes a stranger a person."""
    path = f"/v1/strangers/{quote(stranger_id, safe='')}/enroll"
    return Call("POST", path, structured(EnrolledStranger), json={"name": name, **options})


def _path(stream_id: str, rest: str = "") -> str:
    return f"/v1/streams/{quote(stream_id, safe='')}{rest}"
