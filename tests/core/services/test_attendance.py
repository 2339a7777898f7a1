"""First in, last out."""

from datetime import UTC, date, datetime, timedelta, timezone

from facecv.core.event import Event
from facecv.core.services.attendance import attendance

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def seen(hours: float, who: str, track: str = "t", source: str = "door") -> Event:
    moment = DAY + timedelta(hours=hours)
    return Event(
        "person.recognised", source, moment, track=track, person_id=who, person=who.title()
    )


def test_first_in_and_last_out_of_each_day() -> None:
    events = [
        seen(17, "ann", "b", "gate"),
        seen(8, "ann", "a"),
        seen(8.1, "ann", "a"),
        seen(9, "bob", "c"),
        seen(33, "ann", "d"),
        Event("stranger.seen", "door", DAY),
    ]
    rows = attendance(events, UTC)
    assert [(r.day, r.person) for r in rows] == [
        (date(2026, 3, 1), "Ann"),
        (date(2026, 3, 1), "Bob"),
        (date(2026, 3, 2), "Ann"),
    ]
    first = rows[0]
    assert (first.first, first.last) == (DAY + timedelta(hours=8), DAY + timedelta(hours=17))
    assert (first.visits, first.sources) == (2, ("door", "gate"))


def test_days_begin_where_the_zone_says() -> None:
    """Half past eleven at night in London is another day in Berlin."""
    late = [seen(23.5, "ann")]
    assert attendance(late, UTC)[0].day == date(2026, 3, 1)
    assert attendance(late, timezone(timedelta(hours=1)))[0].day == date(2026, 3, 2)


def test_a_new_name_is_the_one_that_is_told() -> None:
    renamed = Event("face.left", "door", DAY + timedelta(hours=9), person_id="ann", person="Anna")
    (row,) = attendance([renamed, seen(8, "ann")], UTC)
    assert row.person == "Anna"


def test_nobody() -> None:
    assert attendance([]) == []
