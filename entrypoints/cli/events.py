"""``facecv events``: what happened in front of cameras, and what to do about it."""

from datetime import datetime
from typing import TYPE_CHECKING, cast

import rich_click as click

from facecv.core.errors import InputError
from facecv.entrypoints.cli import options, output, tables
from facecv.entrypoints.cli.errors import EPILOG
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.options import Form
from facecv.entrypoints.cli.periods import chosen_events, period_options, period_query

if TYPE_CHECKING:
    from facecv.core.event import Event
    from facecv.core.ports.event_sink import DeliveringSink, EventSink
    from facecv.core.services.strangers import Stranger
    from facecv.entrypoints.streams import Streams

# The event kinds of the core, so that no help page waits for numpy; a test compares them.
KINDS = (
    *("source.up", "source.down", "face.appeared", "person.recognised"),
    *("stranger.seen", "face.left"),
)
_SHORT = 8


@click.group(epilog=EPILOG)
@options.help_option
def events() -> None:
    """List what cameras have seen, make strangers persons, look after deliveries."""


@events.command("list", epilog=EPILOG)
@click.option(
    "--kind", "kinds", type=click.Choice(KINDS), multiple=True, panel="Which", help="Of this kind."
)
@period_options
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    metavar="N",
    panel="Which",
    help="The latest so many.",
)
@options.form_options
@options.gallery_file_option
@options.model_options
@options.general_options
@pass_invocation
def list_(
    invocation: Invocation,
    *,
    kinds: tuple[str, ...],
    source: str,
    person: str,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    form: Form,
) -> None:
    """List events, the latest last."""
    from facecv.core.event import event_json

    store = invocation.engine().parts.events.get()
    found = list(chosen_events(store, period_query(source, since, until, kinds), person))[-limit:]
    table = tables.table("time", "stream", "what", "track", "person", "similarity", "quality")
    for event in found:
        tables.add_row(table, *_cells(event))
    output.write_records(form, [event_json(event) for event in found], table)
    if not found:
        output.remark("there is no such event")


@events.command(epilog=EPILOG)
@click.option(
    "--least",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    metavar="N",
    panel="Which",
    help="Seen so many times or more.",
)
@options.form_options
@options.gallery_options
@options.model_options
@options.general_options
@pass_invocation
def strangers(invocation: Invocation, *, least: int, form: Form) -> None:
    """List strangers who were seen several times and are still unknown."""
    streams = _streams(invocation)
    collection = streams.parts.config.collection
    found = streams.strangers(collection).seen(collection, least=least)
    table = tables.table("stranger", "seen", "first", "last", "quality", "streams")
    for each in found:
        tables.add_row(table, each.id[:_SHORT], len(each.events), *_stranger_cells(each))
    output.write_records(form, [_stranger_shape(each) for each in found], table)
    if not found:
        output.remark("no stranger was seen so often")


@events.command(epilog=EPILOG)
@click.argument("stranger", panel="What", help="An id, or the beginning of one.")
@click.option("--name", required=True, metavar="NAME", panel="What", help="Who that is.")
@options.gallery_options
@options.model_options
@options.general_options
@pass_invocation
def enroll(invocation: Invocation, stranger: str, *, name: str) -> None:
    """Make a stranger a person, with the best faces that cameras have seen."""
    streams = _streams(invocation)
    collection = streams.parts.config.collection
    made = streams.strangers(collection).enrol(collection, stranger, name)
    faces = tables.plural(sum(photo.status == "enrolled" for photo in made.photos), "face")
    output.remark(f"{made.person.name}: {faces} added to {collection!r}")


@events.command(epilog=EPILOG)
@click.argument("sink", metavar="KIND=ADDRESS", panel="What", help="As given to facecv stream.")
@click.option("--retry", is_flag=True, panel="What", help="Try to deliver them again.")
@options.form_options
@options.gallery_file_option
@options.model_options
@options.general_options
@pass_invocation
def dead(invocation: Invocation, sink: str, *, retry: bool, form: Form) -> None:
    """List events that could not be delivered after many tries."""
    opened = _delivering(_streams(invocation).sink(sink))
    try:
        letters = opened.dead_letters()
        if retry:
            output.remark(f"{tables.plural(opened.revive(), 'event')} to be delivered again")
    finally:
        opened.close()
    table = tables.table("event", "what", "tries", "reason")
    for each in letters:
        cells = (str(each.event["id"])[:_SHORT], each.event["kind"], each.failures, each.problem)
        tables.add_row(table, *cells)
    shapes = [{"event": x.event, "failures": x.failures, "problem": x.problem} for x in letters]
    output.write_records(form, shapes, table)
    if not letters:
        output.remark("every event was delivered, or is still tried")


def _streams(invocation: Invocation) -> "Streams":
    from facecv.entrypoints.streams import Streams

    return Streams(invocation.engine().parts)


def _delivering(sink: "EventSink") -> "DeliveringSink":
    if not hasattr(sink, "dead_letters"):
        sink.close()
        raise InputError("this kind of sink keeps no events that could not be delivered")
    return cast("DeliveringSink", sink)


def _cells(event: "Event") -> tuple[object, ...]:
    return (
        _moment(event.time),
        event.source,
        event.kind,
        event.track.rpartition("-")[2],
        event.person or event.detail,
        tables.number(event.similarity) if event.similarity is not None else "",
        tables.number(event.quality, 2) if event.quality is not None else "",
    )


def _stranger_cells(stranger: "Stranger") -> tuple[object, ...]:
    quality = tables.number(stranger.best.quality, 2)
    first, last = _moment(stranger.events[0].time), _moment(stranger.events[-1].time)
    return first, last, quality, ", ".join(sorted({event.source for event in stranger.events}))


def _stranger_shape(stranger: "Stranger") -> dict[str, object]:
    return {
        "stranger": stranger.id,
        "seen": len(stranger.events),
        "first": stranger.events[0].time.isoformat(),
        "last": stranger.events[-1].time.isoformat(),
        "quality": stranger.best.quality,
        "sources": sorted({event.source for event in stranger.events}),
        "events": [event.id for event in stranger.events],
    }


def _moment(time: datetime) -> str:
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S")
