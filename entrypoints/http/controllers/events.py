"""Events: what happened in front of cameras, listed and as it happens."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
import structlog
from litestar import Controller, WebSocket, get, websocket
from litestar.exceptions import WebSocketException
from litestar.handlers import BaseRouteHandler
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import Stream
from litestar.types import Guard

from facecv.core.errors import FaceCVError
from facecv.core.event import EventQuery, event_json
from facecv.entrypoints.http.access import Connection, admit, requires
from facecv.entrypoints.http.errors import AnyRequest, status_of
from facecv.entrypoints.http.event_feed import EventFeed, Told
from facecv.entrypoints.http.event_filters import (
    InCollection,
    Kinds,
    Moment,
    PersonId,
    Source,
    allowed_collection,
    is_still_valid,
    live_query,
    moment,
)
from facecv.entrypoints.http.event_hub import EventHub
from facecv.entrypoints.http.impatient import impatient
from facecv.entrypoints.http.openapi import operation
from facecv.entrypoints.http.pages import Limit
from facecv.entrypoints.http.request_id import request_id
from facecv.entrypoints.http.service import Service, ServiceParam
from facecv.entrypoints.http.stream_shapes import EventPersonShape, EventShape

EVENT_STREAM = "text/event-stream"
Order = Annotated[
    Literal["newest", "oldest"], QueryParameter(description="Which end the list begins at.")
]
EventCursor = Annotated[str, QueryParameter(max_length=100, description="`next_cursor` of a page.")]
LastEvent = Annotated[
    str,
    HeaderParameter(
        name="Last-Event-ID",
        max_length=100,
        description="`id` of the last event that came: what happened since is told first.",
    ),
]
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

    async def guard(connection: Connection, _: BaseRouteHandler) -> None:
        try:
            admit(connection, scope)
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
        *,
        request: AnyRequest,
        service: ServiceParam,
        kinds: Kinds = None,
        source: Source = "",
        collection_name: InCollection = "",
        last_event: LastEvent = "",
    ) -> Stream:
        """Tell events as they happen, as server-sent events.

        Whoever comes back with `Last-Event-ID` is first told what happened meanwhile, in order
        and once, as far back as events are kept. Without it, events are told from now on.
        """
        collection, hub = allowed_collection(request, collection_name), service.streams.hub
        hub.room.check_room()
        feed = await _feed(request, service, live_query(kinds, source, collection), last_event)
        headers = {"Cache-Control": "no-store"}
        return Stream(_told(hub, feed), media_type=EVENT_STREAM, headers=headers)

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
            feed = await _feed(socket, service, live_query(kinds, source, collection))
        except FaceCVError as error:
            raise _refused(error) from error
        await socket.accept()
        await _tell(socket, service.streams.hub, feed)


def _refused(error: FaceCVError) -> WebSocketException:
    return WebSocketException(detail=error.message, code=4000 + status_of(error))


async def _feed(
    connection: Connection, service: Service, query: EventQuery, last: str = ""
) -> EventFeed:
    """Return the events that a client gets, beginning after the one it had last."""
    events = service.engine.parts.events
    start = await asyncio.to_thread(lambda: events.get().tail(last))
    return EventFeed(events.get(), query, start, lambda: is_still_valid(connection))


async def _told(hub: EventHub, feed: EventFeed) -> AsyncIterator[bytes]:
    yield f": events follow\nid: {feed.start}\n\n".encode()
    with hub.follow() as mine:
        try:
            async for events in feed.batches(mine):
                yield b"".join(map(_line, events)) or b": all is well\n\n"
        except FaceCVError as error:  # who comes back goes on where it was
            structlog.get_logger().warning("events cut off", reason=error.message)


def _line(told: Told) -> bytes:
    """Return a server-sent event."""
    position, event = told
    head = f"id: {position}\nevent: {event['kind']}\ndata: "
    return head.encode() + msgspec.json.encode(event) + b"\n\n"


async def _tell(socket: WebSocket[Any, Any, Any], hub: EventHub, feed: EventFeed) -> None:
    with hub.follow() as mine:
        gone, code = asyncio.ensure_future(_gone(socket)), _AWAY
        gone.add_done_callback(lambda _: mine.end())
        try:
            async for events in feed.batches(mine):
                for _, event in events:
                    if not gone.done():
                        await socket.send_data(msgspec.json.encode(event).decode())
        except FaceCVError as error:
            structlog.get_logger().warning("events cut off", reason=error.message)
            code = _AGAIN
        finally:
            gone.cancel()
        if not gone.done():
            await socket.close(code)


async def _gone(socket: WebSocket[Any, Any, Any]) -> None:
    """Return when the client has closed the connection; what it sends means nothing."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
