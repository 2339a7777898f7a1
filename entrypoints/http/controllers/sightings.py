"""What is made of events: attendance, and strangers who become persons."""

from datetime import UTC, date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from litestar import Controller, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Meta

from facecv.core.errors import InputError
from facecv.core.event import EventQuery
from facecv.core.services.attendance import attendance
from facecv.core.services.event_log import all_events
from facecv.entrypoints.http.access import check_collection, requires
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.event_filters import (
    InCollection,
    Moment,
    PersonId,
    Source,
    allowed_collection,
    moment,
)
from facecv.entrypoints.http.gallery_shapes import PersonShape, person_shape
from facecv.entrypoints.http.openapi import operation
from facecv.entrypoints.http.request_id import request_id
from facecv.entrypoints.http.service import ServiceParam
from facecv.entrypoints.http.stream_shapes import (
    AttendanceShape,
    EventPersonShape,
    StrangerShape,
    attendance_shape,
    stranger_shape,
)
from facecv.entrypoints.streams import Streams

Zone = Annotated[str, QueryParameter(max_length=100, description="Where days begin: Europe/Oslo.")]
Least = Annotated[int, QueryParameter(ge=1, le=1_000_000, description="Seen so often or more.")]
StrangerId = Annotated[str, PathParameter(description="An id, or the beginning of one.")]
_FIRST = datetime(2026, 1, 5, 8, 31, 12, tzinfo=UTC)
_LAST = datetime(2026, 1, 5, 17, 2, 40, tzinfo=UTC)


class AttendanceAnswer(msgspec.Struct):
    """Who was there, by day, then by first in."""

    request_id: str
    attendance: list[AttendanceShape]


class StrangerAnswer(msgspec.Struct):
    """Strangers who are still unknown, those seen most often first."""

    request_id: str
    strangers: list[StrangerShape]


class StrangerName(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Who a stranger is.

    Attributes:
        name: of the person; one of that name gets the faces.
        collection: the server's own if left out.
    """

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    collection: Annotated[str, Meta(max_length=100)] = ""


class StrangerEnrolled(msgspec.Struct):
    """The person that a stranger became.

    Attributes:
        request_id: as in the header X-Request-Id.
        person: who.
        added: faces that were enrolled.
    """

    request_id: str
    person: PersonShape
    added: int


class SightingController(Controller):
    """Reports over events."""

    tags = ("Events",)

    @get(
        "/attendance",
        guards=[requires("read")],
        operation_class=operation(
            AttendanceAnswer(
                "a1",
                [
                    AttendanceShape(
                        date(2026, 1, 5),
                        EventPersonShape("8d1f", "Jane Doe"),
                        _FIRST,
                        _LAST,
                        3,
                        ["door"],
                    )
                ],
            )
        ),
    )
    async def attendance(
        self,
        *,
        request: AnyRequest,
        service: ServiceParam,
        source: Source = "",
        collection_name: InCollection = "",
        person_id: PersonId = "",
        since: Moment = None,
        until: Moment = None,
        zone: Zone = "UTC",
    ) -> AttendanceAnswer:
        """Say when persons were first and last seen, day by day."""
        query = EventQuery(
            source=source,
            collection=allowed_collection(request, collection_name),
            person_id=person_id,
            since=moment(since),
            until=moment(until),
        )
        own, days, events = request_id(request.scope), _zone(zone), service.engine.parts.events

        def work() -> AttendanceAnswer:
            found = attendance(all_events(events.get(), query), days)
            return AttendanceAnswer(own, [attendance_shape(entry) for entry in found])

        return await service.run(request, work)

    @get(
        "/strangers",
        guards=[requires("read")],
        operation_class=operation(
            StrangerAnswer(
                "a1", [StrangerShape("3f2a", 4, _FIRST, _LAST, 0.7, ["door"], ["3f2a", "77b0"])]
            )
        ),
    )
    async def strangers(
        self,
        request: AnyRequest,
        service: ServiceParam,
        collection_name: InCollection = "",
        least: Least = 2,
    ) -> StrangerAnswer:
        """List strangers who were seen several times and are still unknown."""
        collection = collection_name or service.engine.config.collection
        check_collection(request, collection)
        own, streams = request_id(request.scope), Streams(service.engine.parts)

        def work() -> StrangerAnswer:
            found = streams.strangers(collection).seen(collection, least=least)
            return StrangerAnswer(own, [stranger_shape(each) for each in found])

        return await service.run(request, work)

    @post(
        "/strangers/{stranger_id:str}/enroll",
        guards=[requires("enrol")],
        operation_class=operation(
            StrangerEnrolled("a1", PersonShape("8d1f", "Jane Doe", {}, _LAST, None), 4),
            errors=(404, 409),
            body_example={"name": "Jane Doe", "collection": "staff"},
        ),
    )
    async def enroll(
        self,
        request: AnyRequest,
        service: ServiceParam,
        stranger_id: StrangerId,
        data: JSONBody[StrangerName],
    ) -> StrangerEnrolled:
        """Make a stranger a person, with the best faces that cameras have seen."""
        collection = data.collection or service.engine.config.collection
        check_collection(request, collection)
        own, streams = request_id(request.scope), Streams(service.engine.parts)

        def work() -> StrangerEnrolled:
            made = streams.strangers(collection).enrol(collection, stranger_id, data.name)
            added = sum(photo.status == "enrolled" for photo in made.photos)
            return StrangerEnrolled(own, person_shape(made.person), added)

        return await service.run(request, work)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(f"there is no time zone {name!r}", hint="such as Europe/Oslo") from error
