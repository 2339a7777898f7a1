"""``facecv attendance``: who was there on which day?"""

from datetime import datetime

import rich_click as click

from facecv.entrypoints.cli import options, output, tables
from facecv.entrypoints.cli.errors import EPILOG
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.options import Form
from facecv.entrypoints.cli.periods import chosen_events, period_options, period_query


@click.command(epilog=EPILOG)
@period_options
@options.form_options
@options.gallery_file_option
@options.pack_options
@options.general_options
@pass_invocation
def attendance(
    invocation: Invocation,
    *,
    source: str,
    person: str,
    since: datetime | None,
    until: datetime | None,
    form: Form,
) -> None:
    """Say when persons were first and last seen, day by day, in local time."""
    from facecv.core.services.attendance import attendance as report

    store = invocation.engine().parts.events.get()
    found = chosen_events(store, period_query(source, since, until), person)
    table = tables.table("day", "person", "first in", "last out", "visits", "streams")
    shapes = []
    for entry in report(found):
        first, last = (moment.strftime("%H:%M:%S") for moment in (entry.first, entry.last))
        where = ", ".join(entry.sources)
        tables.add_row(table, entry.day, entry.person, first, last, entry.visits, where)
        shapes.append(
            {
                "day": entry.day.isoformat(),
                "person": {"id": entry.person_id, "name": entry.person},
                "first": entry.first.isoformat(),
                "last": entry.last.isoformat(),
                "visits": entry.visits,
                "sources": list(entry.sources),
            }
        )
    output.write_records(form, shapes, table)
    if not shapes:
        output.remark("nobody was recognised")
