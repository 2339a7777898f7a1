"""``facecv gallery``: collections as wholes."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import rich_click as click

from facecv.core.errors import InputError
from facecv.entrypoints.cli import options, output, tables
from facecv.entrypoints.cli.errors import EPILOG
from facecv.entrypoints.cli.inputs import STDIN
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.migrate import migrate
from facecv.entrypoints.cli.options import Form
from facecv.entrypoints.cli.persons import PERSON_COMMANDS
from facecv.entrypoints.cli.shapes import collection_shape
from facecv.entrypoints.cli.upkeep import UPKEEP_COMMANDS

if TYPE_CHECKING:
    from facecv.core.gallery import Collection, Counts


@click.group(epilog=EPILOG)
@options.help_option
def gallery() -> None:
    """Look after collections and the persons enrolled in them."""


@gallery.command(epilog=EPILOG)
@options.gallery_file_option
@options.pack_options
@options.form_options
@options.general_options
@pass_invocation
def collections(invocation: Invocation, form: Form) -> None:
    """List the collections of the gallery."""
    engine = invocation.engine()
    found = [(each, engine.gallery(each.name).count()) for each in engine.collections()]
    table = tables.table(
        "collection", "persons", "faces", "model", "threshold", "margin", "created"
    )
    for each, counts in found:
        tables.add_row(table, *_cells(each, counts))
    output.write_records(form, [collection_shape(*one) for one in found], table)
    if not found:
        output.remark("the gallery is empty: enrol somebody with 'facecv enroll'")


def _cells(collection: "Collection", counts: "Counts") -> tuple[object, ...]:
    return (
        collection.name,
        counts.persons,
        counts.faces,
        tables.space_text(collection.space),
        tables.number(collection.threshold),
        tables.number(collection.margin),
        tables.day(collection.created),
    )


@gallery.command(epilog=EPILOG)
@options.gallery_options
@options.pack_options
@options.form_options
@options.general_options
@pass_invocation
def count(invocation: Invocation, form: Form) -> None:
    """Say how many persons and faces a collection has."""
    counts = invocation.engine().gallery().count()
    if not output.write_record(form, {"persons": counts.persons, "faces": counts.faces}):
        persons = tables.plural(counts.persons, "person")
        click.echo(f"{persons}, {tables.plural(counts.faces, 'face')}")


@gallery.command("set", epilog=EPILOG)
@click.option(
    "--threshold", metavar="FLOAT|none", panel="What", help="Similarity from which a face is known."
)
@click.option(
    "--margin",
    metavar="FLOAT|none",
    panel="What",
    help="Two persons closer than this are ambiguous.",
)
@options.gallery_options
@options.pack_options
@options.general_options
@pass_invocation
def set_(invocation: Invocation, threshold: str | None, margin: str | None) -> None:
    """Give a collection a threshold or margin of its own; none takes it away."""
    written = {"threshold": threshold, "margin": margin}
    changes = {name: as_number(name, text) for name, text in written.items() if text is not None}
    if not changes:
        raise click.UsageError("nothing to set: give --threshold or --margin")
    gallery = invocation.engine().gallery()
    before = gallery.info()
    try:
        after = attrs.evolve(
            before,
            threshold=changes.get("threshold", before.threshold),
            margin=changes.get("margin", before.margin),
        )
    except ValueError as error:
        raise click.UsageError(f"{error.args[0]}") from error
    gallery.repo.update_collection(after)
    for name in changes:
        own = getattr(after, name)
        click.echo(f"{after.name}: {name} {'not its own any more' if own is None else own}")


def as_number(name: str, text: str) -> float | None:
    """Return the value of an option that takes a number or ``none``."""
    if text == "none":
        return None
    try:
        return float(text)
    except ValueError:
        raise click.UsageError(f"--{name}: a number or none expected, got {text!r}") from None


@gallery.command(epilog=EPILOG)
@options.yes_option
@options.gallery_options
@options.pack_options
@options.general_options
@pass_invocation
def delete(invocation: Invocation, *, yes: bool) -> None:
    """Delete a collection with all its persons, faces and events."""
    gallery = invocation.engine().gallery()
    counts = gallery.count()
    what = f"collection {gallery.name!r} with {tables.plural(counts.persons, 'person')}"
    options.confirm(f"Delete {what}?", yes=yes)
    gallery.delete()
    click.echo(f"deleted {what}")


@gallery.command(epilog=EPILOG)
@click.argument(
    "file",
    type=options.FILE,
    default=Path(STDIN),
    panel="What",
    help="Where to; - is the output.",
)
@options.gallery_options
@options.pack_options
@options.general_options
@pass_invocation
def export(invocation: Invocation, file: Path) -> None:
    """Write a collection as lines of JSON, embeddings included."""
    lines = invocation.engine().gallery().export()
    if str(file) == STDIN:
        for line in lines:
            click.echo(line)
        return
    content = "".join(f"{line}\n" for line in lines)
    output.write_file(file, content.encode())
    output.remark(f"written to {file}")


@gallery.command("import", epilog=EPILOG)
@click.argument(
    "file", type=options.FILE, panel="What", help="What export wrote; - is the standard input."
)
@click.option(
    "--merge", is_flag=True, panel="What", help="Add to a collection that is there already."
)
@options.gallery_options
@options.pack_options
@options.general_options
@pass_invocation
def import_(invocation: Invocation, file: Path, *, merge: bool) -> None:
    """Add what export wrote, all or nothing.

    The collection keeps its name unless --collection gives it another.
    """
    from facecv.core.services.transfer import import_lines

    repo = invocation.engine().gallery().repo
    name = invocation.overrides.get("collection")
    with _lines(file) as lines:
        counts = import_lines(repo, lines, collection=name, merge=merge)
    persons, faces = tables.plural(counts.persons, "person"), tables.plural(counts.faces, "face")
    click.echo(f"added {persons} with {faces}")


@contextlib.contextmanager
def _lines(file: Path) -> Iterator[Any]:
    """Return the lines of a text file or of the standard input."""
    if str(file) == STDIN:
        yield sys.stdin
        return
    try:
        stream = file.open(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from error
    with stream:
        yield stream


for command in (*PERSON_COMMANDS, *UPKEEP_COMMANDS, migrate):
    gallery.add_command(command)
