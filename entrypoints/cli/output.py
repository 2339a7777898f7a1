"""Writing results: tables for people, JSON for machines, files for both.

The standard output carries results and nothing else; everything else goes to the standard error.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import rich_click as click

from facecv.core.errors import InputError
from facecv.entrypoints.cli.invocation import current
from facecv.entrypoints.cli.options import Form

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn
    from rich.table import Table

_UNLIMITED = 10_000
Record = Mapping[str, Any]


@attrs.define(eq=False)
class JsonWriter:
    """Writes records as they come (``jsonl``), or all of them at the end (``json``).

    Attributes:
        form: in ``table`` form nothing is written.
    """

    form: Form
    _records: list[Record] = attrs.field(factory=list, init=False)

    def add(self, record: Record) -> None:
        """Take one record."""
        if self.form == "jsonl":
            click.echo(to_json(record))
        elif self.form == "json":
            self._records.append(record)

    def close(self) -> None:
        """Write the list of records, in ``json`` form."""
        if self.form == "json":
            click.echo(to_json(self._records, indent=2))


def write_records(form: Form, records: Sequence[Record], table: "Table") -> None:
    """Write records as JSON, or `table` for people."""
    writer = JsonWriter(form)
    for record in records:
        writer.add(record)
    writer.close()
    if form == "table":
        print_table(table)


def write_record(form: Form, record: Record) -> bool:
    """Write a single record as JSON; return False, having done nothing, in ``table`` form."""
    if form != "table":
        click.echo(to_json(record, indent=2 if form == "json" else None))
    return form != "table"


def to_json(value: object, *, indent: int | None = None) -> str:
    """Return JSON: letters as they are, lists of numbers on one line."""
    if indent is None:
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return _block(
            "{}", [f"{json.dumps(str(k))}: {_inner(v, indent)}" for k, v in value.items()]
        )
    if isinstance(value, list | tuple) and not _is_flat(value):
        return _block("[]", [_inner(item, indent) for item in value])
    return json.dumps(value, ensure_ascii=False)


def _inner(value: object, indent: int) -> str:
    return to_json(value, indent=indent).replace("\n", "\n" + " " * indent)


def _block(braces: str, items: Sequence[str]) -> str:
    if not items:
        return braces
    return f"{braces[0]}\n  " + ",\n  ".join(items) + f"\n{braces[1]}"


def _is_flat(values: Sequence[object]) -> bool:
    """Return whether a list holds numbers, or lists of numbers (points)."""
    return bool(values) and all(
        isinstance(v, int | float) or (isinstance(v, list) and _is_flat(v)) for v in values
    )


def console(*, error: bool = False) -> "Console":
    """Return a console; what is not a terminal gets lines of any length, uncut."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _UNLIMITED
    return Console(file=stream, width=width, highlight=False, soft_wrap=False)


def shown_path(path: str) -> str:
    """Return a path for a column of a table: on a narrow terminal its end is enough."""
    room = max(16, console().width // 5)
    return path if len(path) <= room else f"…{path[1 - room :]}"


def print_table(table: "Table") -> None:
    """Print a table, unless it is empty."""
    if table.row_count:
        console().print(table)


def remark(text: str) -> None:
    """Tell people something on the standard error, unless they want it quiet."""
    if not current().quiet:
        click.echo(text, err=True)


def warn(text: str) -> None:
    """Tell people on the standard error about something that may be wrong."""
    click.secho("warning: ", fg="yellow", nl=False, err=True)
    click.echo(text, err=True)


@contextmanager
def progress(*columns: "ProgressColumn", wanted: bool = True) -> Iterator["Progress"]:
    """Return a progress display on the standard error, shown on a terminal only.

    Args:
        columns: what it shows; none: a bar and how many of how many.
        wanted: whether to show it at all.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    err = console(error=True)
    shown = wanted and err.is_terminal and not current().quiet
    text = TextColumn("{task.description}", markup=False)
    chosen = columns or (text, BarColumn(), MofNCompleteColumn())
    # On a terminal, what is printed meanwhile goes above the bars; a pipe is never touched.
    with Progress(
        *chosen,
        console=err,
        transient=True,
        disable=not shown,
        redirect_stdout=sys.stdout.isatty(),
    ) as bars:
        yield bars


def write_file(path: Path, content: bytes) -> None:
    """Write a file in one step: beside its place, then renamed; folders are made.

    Raises:
        InputError: it cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
