"""Streams: cameras and videos that the server watches."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.params import JSONBody, PathParameter
from litestar.response import Stream as StreamedAnswer
from msgspec import UNSET, Meta, UnsetType

from facecv.entrypoints.http.access import check_collection, key_of, requires
from facecv.entrypoints.http.bodies import read_form
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.impatient import impatient
from facecv.entrypoints.http.openapi import operation, picture_body
from facecv.entrypoints.http.pages import Cursor, Limit, after, cursor_after
from facecv.entrypoints.http.previews import MJPEG, pictures
from facecv.entrypoints.http.request_id import request_id
from facecv.entrypoints.http.service import Service, ServiceParam
from facecv.entrypoints.http.stream_addresses import shown_sink, shown_source
from facecv.entrypoints.http.stream_desk import Stream
from facecv.entrypoints.http.stream_file import StreamRecord
from facecv.entrypoints.http.stream_shapes import StreamShape, StreamStateShape

StreamId = Annotated[str, PathParameter(description="As the answer that made it gave it.")]
_Text = Annotated[str, Meta(min_length=1, max_length=2000)]
_Name = Annotated[str, Meta(min_length=1, max_length=100)]
_Fps = Annotated[float, Meta(gt=0, le=1000)]
_Sinks = Annotated[list[_Text], Meta(max_length=8)]


class NewStream(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A stream to make.

    Attributes:
        name: the `source` of its events; unique.
        address: `rtsp://` or `http://` of a camera, the number of a webcam, `push:NAME` for frames
            that clients hand in, or `PROVIDER:ADDRESS`; files and folders only where the server
            allows them.
        collection: where persons are looked for; the server's own if left out.
        fps: the most frames a second; as the server is set if left out.
        enabled: whether to watch it.
        sinks: where its events go besides, each `KIND=ADDRESS`: `webhook=URL`, `mqtt=URL`.
    """

    name: _Name
    address: _Text
    collection: Annotated[str, Meta(max_length=100)] = ""
    fps: _Fps | None = None
    enabled: bool = True
    sinks: _Sinks = []


class StreamChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays. The stream is watched anew."""

    name: _Name | UnsetType = UNSET
    address: _Text | UnsetType = UNSET
    collection: Annotated[str, Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    fps: _Fps | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    sinks: _Sinks | UnsetType = UNSET


class FrameFields(msgspec.Struct, forbid_unknown_fields=True):
    """A frame has nothing beside its picture; it counts as of now."""


class StreamAnswer(msgspec.Struct):
    """One stream."""

    request_id: str
    stream: StreamShape


class StreamPage(msgspec.Struct):
    """A page of streams, by name.

    Attributes:
        request_id: as in the header X-Request-Id.
        streams: those whose collection the key may touch.
        next_cursor: of the next page; null on the last one.
    """

    request_id: str
    streams: list[StreamShape]
    next_cursor: str | None


class StateAnswer(msgspec.Struct):
    """How a stream is doing."""

    request_id: str
    state: StreamStateShape


_STATE = StreamStateShape("running", "", 0, 1840, 12, 9.8, 41.5, 1, 17, 52, 40)
_EXAMPLE = StreamShape(
    "0d9e8f7a6b5c4d3e",
    "door",
    "rtsp://camera.example/live",
    "staff",
    10.0,
    True,
    ["webhook=https://hooks.example/events"],
    datetime(2026, 1, 5, 8, 30, tzinfo=UTC),
    _STATE,
)
_NEW = {
    "name": "door",
    "address": "rtsp://user:password@camera.example/live",
    "collection": "staff",
    "fps": 10,
}


class StreamController(Controller):
    """Cameras and videos; they are kept, and start again with the server."""

    path = "/streams"
    tags = ("Streams",)

    @post(
        "/",
        guards=[requires("admin")],
        operation_class=operation(
            StreamAnswer("a1", _EXAMPLE), errors=(404, 409), body_example=_NEW
        ),
    )
    async def create(
        self, request: AnyRequest, service: ServiceParam, data: JSONBody[NewStream]
    ) -> StreamAnswer:
        """Begin to watch a camera or video; one that cannot be opened is tried again."""
        values = msgspec.structs.asdict(data)
        values["collection"] = data.collection or service.engine.config.collection
        check_collection(request, values["collection"])
        record = StreamRecord(**values | {"sinks": tuple(data.sinks)})
        made = await service.run(request, lambda: service.streams.create(record))
        return StreamAnswer(request_id(request.scope), stream_shape(made))

    @get(
        "/",
        guards=[requires("read")],
        operation_class=operation(StreamPage("a1", [_EXAMPLE], None)),
    )
    async def streams(
        self, request: AnyRequest, service: ServiceParam, limit: Limit = 50, cursor: Cursor = ""
    ) -> StreamPage:
        """List streams by name, a page at a time."""
        key, start = key_of(request), after(cursor)
        seen = [
            each
            for each in service.streams.all()
            if each.record.name > start and (key is None or key.may_touch(each.record.collection))
        ]
        names = [each.record.name for each in seen]
        page = [stream_shape(each) for each in seen[:limit]]
        return StreamPage(request_id(request.scope), page, cursor_after(names, limit))

    @get(
        "/{stream_id:str}",
        guards=[requires("read")],
        operation_class=operation(StreamAnswer("a1", _EXAMPLE), errors=(404,)),
    )
    async def stream(
        self, request: AnyRequest, service: ServiceParam, stream_id: StreamId
    ) -> StreamAnswer:
        """Tell about a stream and how it is doing."""
        shape = stream_shape(_allowed(request, service, stream_id))
        return StreamAnswer(request_id(request.scope), shape)

    @get(
        "/{stream_id:str}/state",
        guards=[requires("read")],
        operation_class=operation(StateAnswer("a1", _STATE), errors=(404,)),
    )
    async def state(
        self, request: AnyRequest, service: ServiceParam, stream_id: StreamId
    ) -> StateAnswer:
        """Tell how a stream is doing."""
        state = _allowed(request, service, stream_id).runner.state()
        return StateAnswer(request_id(request.scope), state)

    @patch(
        "/{stream_id:str}",
        guards=[requires("admin")],
        operation_class=operation(
            StreamAnswer("a1", _EXAMPLE), errors=(404, 409), body_example={"enabled": False}
        ),
    )
    async def change(
        self,
        request: AnyRequest,
        service: ServiceParam,
        stream_id: StreamId,
        data: JSONBody[StreamChange],
    ) -> StreamAnswer:
        """Change a stream, and watch it anew; its events stay."""
        _allowed(request, service, stream_id)
        changes = _given(data)
        if "collection" in changes:
            check_collection(request, changes["collection"])
        made = await service.run(request, lambda: service.streams.change(stream_id, changes))
        return StreamAnswer(request_id(request.scope), stream_shape(made))

    @delete(
        "/{stream_id:str}",
        guards=[requires("admin")],
        operation_class=operation(errors=(404,)),
    )
    async def remove(self, request: AnyRequest, service: ServiceParam, stream_id: StreamId) -> None:
        """Stop watching a stream and forget it; its events stay."""
        _allowed(request, service, stream_id)
        await service.run(request, lambda: service.streams.remove(stream_id))

    @post(
        "/{stream_id:str}/frames",
        status_code=202,
        guards=[requires("enrol")],
        operation_class=operation(
            StateAnswer("a1", _STATE),
            errors=(404, 413, 415),
            body=picture_body(FrameFields, ["image"]),
        ),
    )
    async def push(
        self, request: AnyRequest, service: ServiceParam, stream_id: StreamId
    ) -> StateAnswer:
        """Hand in a frame for a stream of `push:NAME`; the newest one counts."""
        runner = _allowed(request, service, stream_id).runner
        form = await read_form(request, FrameFields, ["image"], service.config)
        picture, engine = form.picture("image"), service.engine
        await service.run(request, lambda: runner.push(engine.read(picture.source).pixels))
        return StateAnswer(request_id(request.scope), runner.state())

    @get(
        "/{stream_id:str}/preview.mjpeg",
        guards=[requires("read")],
        media_type=MJPEG,
        middleware=[impatient],
        operation_class=operation(errors=(404,), files=["multipart/x-mixed-replace"]),
    )
    async def preview(
        self, request: AnyRequest, service: ServiceParam, stream_id: StreamId
    ) -> StreamedAnswer:
        """Show a stream with boxes and names, as pictures that replace one another.

        Only the newest picture is sent, some times a second, for as long as the client looks.
        """
        runner = _allowed(request, service, stream_id).runner
        return StreamedAnswer(pictures(request, service, runner), media_type=MJPEG)


def stream_shape(stream: Stream) -> StreamShape:
    """Return a stream, without secrets."""
    record = stream.record
    return StreamShape(
        id=record.id,
        name=record.name,
        address=shown_source(record.address),
        collection=record.collection,
        fps=record.fps,
        enabled=record.enabled,
        sinks=[shown_sink(text) for text in record.sinks],
        created=record.created,
        state=stream.runner.state(),
    )


def _allowed(request: AnyRequest, service: Service, identity: str) -> Stream:
    """Return a stream whose collection the key of a request may touch."""
    stream = service.streams.get(identity)
    check_collection(request, stream.record.collection)
    return stream


def _given(data: StreamChange) -> dict[str, Any]:
    given = {
        field: value
        for field, value in msgspec.structs.asdict(data).items()
        if not isinstance(value, UnsetType)
    }
    return given | ({"sinks": tuple(given["sinks"])} if "sinks" in given else {})
