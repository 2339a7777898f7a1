"""Attendance: who was there on which day, from when until when."""

from collections.abc import Iterable
from datetime import date, datetime, tzinfo

import attrs

from facecv.core.event import Event


@attrs.frozen
class Attendance:
    """One person on one day.

    Attributes:
        day: in the time zone that was asked for.
        person_id: who.
        person: the person's name, as the latest event has it.
        first: first in: the earliest event that names the person.
        last: last out: the latest.
        visits: how many tracks were theirs.
        sources: the streams that saw them, by name.
    """

    day: date
    person_id: str
    person: str
    first: datetime
    last: datetime
    visits: int
    sources: tuple[str, ...]


def attendance(events: Iterable[Event], zone: tzinfo | None = None) -> list[Attendance]:
    """Return one entry for each person and day, by day, then by first in.

    A stay across midnight counts on both days, from its first event to its last.

    Args:
        events: in any order; those that name nobody are left out.
        zone: where days begin and end; None: the local time zone.
    """
    groups: dict[tuple[date, str], list[Event]] = {}
    for event in events:
        if event.person_id:
            day = event.time.astimezone(zone).date()
            groups.setdefault((day, event.person_id), []).append(event)
    entries = [_entry(day, found, zone) for (day, _), found in groups.items()]
    return sorted(entries, key=lambda entry: (entry.day, entry.first, entry.person))


def _entry(day: date, events: list[Event], zone: tzinfo | None) -> Attendance:
    ordered = sorted(events, key=lambda event: event.time)
    return Attendance(
        day,
        ordered[-1].person_id,
        ordered[-1].person,
        ordered[0].time.astimezone(zone),
        ordered[-1].time.astimezone(zone),
        len({event.track for event in events}),
        tuple(sorted({event.source for event in events})),
    )
