"""Which events a request is about."""

from datetime import UTC, datetime
from typing import Annotated

from litestar.params import QueryParameter

from facecv.core.errors import ConfigurationError, InputError
from facecv.core.event import EventKind, EventQuery
from facecv.entrypoints.http.access import Connection, check_collection, key_of

_TEXT = 200
Kinds = Annotated[
    list[EventKind] | None, QueryParameter(name="kind", description="Any of these; may be repeated")
]
Source = Annotated[str, QueryParameter(max_length=_TEXT, description="Name of a stream.")]
InCollection = Annotated[
    str, QueryParameter(name="collection", max_length=_TEXT, description="Name of a collection.")
]
PersonId = Annotated[
    str, QueryParameter(name="person", max_length=_TEXT, description="Id of a person.")
]
Moment = Annotated[
    datetime | None, QueryParameter(description="With a time zone; without one, UTC.")
]


def moment(value: datetime | None) -> datetime | None:
    """Return a moment in UTC.

    Raises:
        InputError: it is too far away.
    """
    try:
        if value is None or value.tzinfo is None:
            return value and value.replace(tzinfo=UTC)
        return value.astimezone(UTC)
    except OverflowError as error:
        raise InputError("this moment is too far away") from error


def allowed_collection(connection: Connection, named: str) -> str:
    """Return the collection that a request is about; empty: all.

    Raises:
        ForbiddenError: its key may not touch that.
        InputError: its key is for several collections, and none is named.
    """
    key = key_of(connection)
    if named or key is None or key.collections is None:
        if named:
            check_collection(connection, named)
        return named
    if len(key.collections) == 1:
        return key.collections[0]
    raise InputError(
        "this key is for several collections: name one",
        details={"collections": list(key.collections)},
    )


def is_still_valid(connection: Connection) -> bool:
    """Return whether the key that a connection began with has not been revoked since."""
    key = key_of(connection)
    try:
        valid = connection.app.state.service.access.keys.keys()
    except ConfigurationError:  # nobody can say
        return key is None
    return key is None or key in valid


def live_query(kinds: list[EventKind] | None, source: str, collection: str) -> EventQuery:
    """Return which events somebody follows; what is empty does not matter."""
    return EventQuery(frozenset(kinds or ()), source, collection)
