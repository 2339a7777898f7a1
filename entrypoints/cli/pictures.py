"""Doing one thing to many pictures: one bad picture is reported and the rest go on."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Generic, TypeVar

import attrs

from facecv.core.errors import InputError
from facecv.entrypoints.cli import output, tables
from facecv.entrypoints.cli.drawing import Drawing
from facecv.entrypoints.cli.errors import DONE, INPUT, NEGATIVE, show_error
from facecv.entrypoints.cli.inputs import Source
from facecv.entrypoints.cli.invocation import MANY, Invocation
from facecv.entrypoints.cli.options import Form
from facecv.entrypoints.cli.prefetch import prefetched
from facecv.entrypoints.cli.shapes import Shape, error_shape, picture_shape

if TYPE_CHECKING:
    from rich.table import Table

    from facecv.core.image import Image
    from facecv.core.ports.annotator import Label

AnswerT = TypeVar("AnswerT")


@attrs.frozen(eq=False)
class Task(Generic[AnswerT]):
    """What a command does to each picture, and how it tells about each face.

    Attributes:
        look: returns one answer a face; may be asked by several threads at once.
        shape: the JSON of an answer.
        columns: of the table, after picture and face.
        cells: of an answer, one a column.
        label: what is drawn for an answer.
        is_hit: whether an answer makes the command succeed.
        keep: is told the answers of each picture, in the order of the pictures.
    """

    look: "Callable[[Image], Sequence[AnswerT]]"
    shape: Callable[[AnswerT], Shape]
    columns: Sequence[str]
    cells: Callable[[AnswerT], Sequence[object]]
    label: "Callable[[AnswerT], Label]"
    is_hit: Callable[[AnswerT], bool] = lambda _: True
    keep: "Callable[[Image, Sequence[AnswerT]], None]" = lambda _, __: None


@attrs.frozen(eq=False)
class Looked(Generic[AnswerT]):
    """A picture and what was found in it, or the reason why it could not be used."""

    source: Source
    image: "Image | None" = None
    answers: Sequence[AnswerT] = ()
    error: InputError | None = None


def run(
    invocation: Invocation,
    sources: Sequence[Source],
    task: Task[AnswerT],
    form: Form,
    draw: Drawing | None = None,
) -> int:
    """Do a task to all pictures, write what comes out, and return the exit code for it."""
    writer = output.JsonWriter(form)
    table = tables.table("picture", "face", *task.columns)
    tally = _Tally()
    for looked in look_at(invocation, sources, task.look):
        if looked.image:
            task.keep(looked.image, looked.answers)
        writer.add(_shape(looked, task))
        _add_rows(table, looked, task)
        tally.add(looked, task)
        if draw and looked.image:
            draw.write(looked.source, looked.image, [task.label(one) for one in looked.answers])
    writer.close()
    if form == "table":
        output.print_table(table)
        output.remark(tally.text())
    return tally.code()


def look_at(
    invocation: Invocation,
    sources: Sequence[Source],
    look: "Callable[[Image], Sequence[AnswerT]]",
) -> Iterator[Looked[AnswerT]]:
    """Yield what is found in each picture, in order, with a progress bar for many.

    The next pictures are decoded while others are looked at. Of many, two are looked at at once:
    while one is prepared or measured, the networks run for the other.
    """
    engine = invocation.engine()

    def seen(coming: "tuple[Source, Callable[[], Image]]") -> Looked[AnswerT]:
        source, read = coming
        image = read()
        return Looked(source, image, look(image))

    read = prefetched(lambda source: source.read(engine), sources)
    looks = prefetched(seen, read, workers=2 if len(sources) >= MANY else 1)
    with closing(read), closing(looks), output.progress(wanted=len(sources) > 1) as bars:
        for (source, _), looked in bars.track(looks, total=len(sources), description="pictures"):
            try:
                yield looked()
            except InputError as error:
                show_error(error, debug=invocation.debug, about=source.name)
                yield Looked(source, error=error)


@attrs.define
class _Tally:
    """Counts, for the last line and the exit code."""

    pictures: int = 0
    faces: int = 0
    hits: int = 0
    failed: int = 0

    def add(self, looked: Looked[AnswerT], task: Task[AnswerT]) -> None:
        self.pictures += 1
        self.failed += looked.error is not None
        self.faces += len(looked.answers)
        self.hits += sum(map(task.is_hit, looked.answers))

    def text(self) -> str:
        used = tables.plural(self.pictures - self.failed, "picture")
        failed = f"; {tables.plural(self.failed, 'picture')} failed" if self.failed else ""
        return f"{tables.plural(self.faces, 'face')} in {used}{failed}"

    def code(self) -> int:
        if self.failed:
            return INPUT
        return DONE if self.hits else NEGATIVE


def _shape(looked: Looked[AnswerT], task: Task[AnswerT]) -> Shape:
    if looked.image is None or looked.error:
        error = looked.error or InputError("no picture")
        return {"source": looked.source.name, "error": error_shape(error)}
    return picture_shape(looked.image, [task.shape(answer) for answer in looked.answers])


def _add_rows(table: "Table", looked: Looked[AnswerT], task: Task[AnswerT]) -> None:
    """Add a row a face; the picture's name stands on the first one."""
    if looked.error:
        return
    name = output.shown_path(looked.source.name)
    if not looked.answers:
        tables.add_row(table, name, "-", "no face", *[""] * (len(task.columns) - 1), style="dim")
    for index, answer in enumerate(looked.answers):
        tables.add_row(table, "" if index else name, index + 1, *task.cells(answer))
