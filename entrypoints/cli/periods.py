"""Which events: options that commands about events share."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, cast

import rich_click as click

from facecv.entrypoints.cli import options

if TYPE_CHECKING:
    from facecv.core.event import Event, EventQuery
    from facecv.core.ports.event_store import EventStore

period_options = options.stacked(
    click.option(
        "--source", default="", metavar="NAME", panel="Which", help="Of this stream only."
    ),
    click.option(
        "--person", default="", metavar="NAME", panel="Which", help="Name or id of a person."
    ),
    click.option("--since", type=click.DateTime(), panel="Which", help="Not before, local time."),
    click.option("--until", type=click.DateTime(), panel="Which", help="Before, local time."),
)


def period_query(
    source: str, since: datetime | None, until: datetime | None, kinds: tuple[str, ...] = ()
) -> "EventQuery":
    """Return what the options mean; times without a zone are local."""
    from facecv.core.event import EventKind, EventQuery

    return EventQuery(
        kinds=frozenset(cast("tuple[EventKind, ...]", kinds)),
        source=source,
        since=since and since.astimezone(),
        until=until and until.astimezone(),
    )


def chosen_events(store: "EventStore", query: "EventQuery", person: str) -> "Iterator[Event]":
    """Yield the events of a query, in the order in which they happened.

    Args:
        store: where they are kept.
        query: which.
        person: only those of the person with this name or id; empty: all.
    """
    from facecv.core.services.event_log import all_events

    found = all_events(store, query)
    return (each for each in found if not person or person in {each.person, each.person_id})
