"""Events: what happened in front of cameras, listed and as it happens."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, WebSocket, get, websocket
from litestar.exceptions import WebSocketException
from litestar.handlers import BaseRouteHandler
from litestar.params import QueryParameter
from litestar.response import Stream
from litestar.types import Guard

from facecv.core.errors import FaceCVError
from facecv.core.event import EventQuery, event_json
from facecv.entrypoints.http.access import Connection, requires
from facecv.entrypoints.http.errors import AnyRequest, status_of
from facecv.entrypoints.http.event_filters import (
    InCollection,
    Kinds,
    Moment,
    PersonId,
    Source,
    allowed_collection,
    moment,
    wants,
)
from facecv.entrypoints.http.event_hub import Accepts, EventHub
from facecv.entrypoints.http.impatient import impatient
from facecv.entrypoints.http.openapi import operation
from facecv.entrypoints.http.pages import Limit
from facecv.entrypoints.http.request_id import request_id
from facecv.entrypoints.http.service import ServiceParam
from facecv.entrypoints.http.stream_shapes import EventPersonShape, EventShape

EVENT_STREAM = "text/event-stream"
Order = Annotated[
    Literal["newest", "oldest"], QueryParameter(description="Which end the list begins at.")
]
EventCursor = Annotated[str, QueryParameter(max_length=100, description="`next_cursor` of a page.")]
_SILENCE = 15.0
"""Seconds after which a client that gets no event hears that all is well."""
_AWAY, _AGAIN = 1001, 1013


class EventPage(msgspec.Struct):
    """A page of events.

    Attributes:
        request_id: as in the header X-Request-Id.
        events: in the order that was asked for.
        next_cursor: of the next page; null on the last one.
    """

    request_id: str
    events: list[EventShape]
    next_cursor: str | None


_EXAMPLE = EventShape(
    id="5f0c7f5e9d3b4c58",
    kind="person.recognised",
    time=datetime(2026, 1, 5, 8, 31, 12, tzinfo=UTC),
    source="door",
    collection="staff",
    track="3fa2b1c0d9e8-7",
    box=[412.0, 96.5, 508.25, 221.0],
    person=EventPersonShape("8d1f", "Jane Doe"),
    similarity=0.71,
    quality=0.64,
    attributes={},
    detail=None,
    crop=None,
)


def requires_by_socket(scope: Literal["read", "enrol", "admin"]) -> Guard:
    """Return `requires` for WebSockets: refusals close with 4000 and the status."""
    check = requires(scope)

    def guard(connection: Connection, handler: BaseRouteHandler) -> None:
        try:
            check(connection, handler)
        except FaceCVError as error:
            raise _refused(error) from error

    return guard


class EventController(Controller):
    """What happened in front of cameras."""

    path = "/events"
    tags = ("Events",)

    @get(
        "/",
        guards=[requires("read")],
        operation_class=operation(EventPage("a1", [_EXAMPLE], "1840")),
    )
    async def events(
        self,
        *,
        request: AnyRequest,
        service: ServiceParam,
        kinds: Kinds = None,
        source: Source = "",
        collection_name: InCollection = "",
        person_id: PersonId = "",
        since: Moment = None,
        until: Moment = None,
        order: Order = "newest",
        limit: Limit = 50,
        cursor: EventCursor = "",
    ) -> EventPage:
        """List events, the newest first unless asked otherwise, a page at a time."""
        query = EventQuery(
            frozenset(kinds or ()),
            source,
            allowed_collection(request, collection_name),
            person_id,
            since=moment(since),
            until=moment(until),
        )
        own, store = request_id(request.scope), service.engine.parts.events

        def work() -> EventPage:
            page = store.get().page(query, after=cursor, limit=limit, newest=order == "newest")
            shapes = [msgspec.convert(event_json(event), EventShape) for event in page.events]
            return EventPage(own, shapes, page.cursor or None)

        return await service.run(request, work)

    @get(
        "/stream",
        guards=[requires("read")],
        media_type=EVENT_STREAM,
        middleware=[impatient],
        operation_class=operation(files=[EVENT_STREAM]),
    )
    async def follow(
        self,
        request: AnyRequest,
        service: ServiceParam,
        kinds: Kinds = None,
        source: Source = "",
        collection_name: InCollection = "",
    ) -> Stream:
        """Tell events as they happen, as server-sent events.

        A client that is too slow is cut off; what it missed can be listed.
        """
        accepts = wants(request, kinds, source, allowed_collection(request, collection_name))
        hub = service.streams.hub
        hub.room.check_room()
        return Stream(
            _told(hub, accepts), media_type=EVENT_STREAM, headers={"Cache-Control": "no-store"}
        )

    @websocket("/ws", guards=[requires_by_socket("read")], middleware=[impatient])
    async def follow_by_socket(
        self,
        socket: WebSocket[Any, Any, Any],
        service: ServiceParam,
        kinds: Kinds = None,
        source: Source = "",
        collection_name: InCollection = "",
    ) -> None:
        """Tell events as they happen, one JSON object a message."""
        try:
            collection = allowed_collection(socket, collection_name)
            service.streams.hub.room.check_room()
        except FaceCVError as error:
            raise _refused(error) from error
        await socket.accept()
        await _tell(socket, service.streams.hub, wants(socket, kinds, source, collection))


def _refused(error: FaceCVError) -> WebSocketException:
    return WebSocketException(detail=error.message, code=4000 + status_of(error))


async def _told(hub: EventHub, accepts: Accepts) -> AsyncIterator[bytes]:
    yield b": events follow\n\n"
    with hub.follow(accepts) as mine:
        while (events := await mine.take(_SILENCE)) is not None:
            yield b"".join(map(_line, events)) or b": all is well\n\n"
            # Empty batches come when nothing happened, and now and then besides.


def _line(event: Mapping[str, Any]) -> bytes:
    """Return a server-sent event."""
    head = f"id: {event['id']}\nevent: {event['kind']}\ndata: "
    return head.encode() + msgspec.json.encode(event) + b"\n\n"


async def _tell(socket: WebSocket[Any, Any, Any], hub: EventHub, accepts: Accepts) -> None:
    with hub.follow(accepts) as mine:
        gone = asyncio.ensure_future(_gone(socket))
        gone.add_done_callback(lambda _: mine.end())
        try:
            while not gone.done() and (events := await mine.take(_SILENCE)) is not None:
                for event in events:
                    await socket.send_data(msgspec.json.encode(event).decode())
            if not gone.done():
                await socket.close(_AGAIN if mine.lost else _AWAY)
        finally:
            gone.cancel()


async def _gone(socket: WebSocket[Any, Any, Any]) -> None:
    """Return when the client has closed the connection; what it sends means nothing."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
