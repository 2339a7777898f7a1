"""``facecv bench search``: how fast, how right and how large searches of large galleries are."""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from facecv.core.errors import RuntimeMissingError
from facecv.entrypoints.cli import options, output, tables
from facecv.entrypoints.cli.errors import EPILOG
from facecv.entrypoints.cli.options import Form
from facecv.entrypoints.cli.shapes import Shape

if TYPE_CHECKING:
    from rich.table import Table

    from facecv.entrypoints.cli.search_faces import MadeFaces
    from facecv.entrypoints.cli.search_timing import Figures, Probes, Timed

ResultT = TypeVar("ResultT")
Exact = Mapping[str, Sequence[Sequence[int]]]
"""The persons nearest to each probe, nearest first, by whose probes they are."""
_RIVALS = ("numpy", "faiss-flat", "faiss-hnsw")
_CALLERS = (1, 8)
_TOP = 5


@click.command(epilog=EPILOG)
@click.option(
    "--faces",
    type=click.IntRange(min=100),
    default=100_000,
    show_default=True,
    panel="What",
    help="How many faces to make up.",
)
@click.option(
    "--faces-a-person",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    panel="What",
    help="How many faces each person has.",
)
@click.option(
    "--probes",
    type=click.IntRange(min=10),
    default=1000,
    show_default=True,
    panel="What",
    help="How many searches.",
)
@click.option(
    "--rival",
    "rivals",
    type=click.Choice(("all", "none", *_RIVALS)),
    multiple=True,
    default=("all",),
    panel="What",
    help="What to compare with; faiss is left out where it is not installed.",
)
@click.option(
    "--folder",
    type=options.FILE,
    panel="What",
    help="Where to put the gallery, and leave it; a run that was stopped goes on there.",
)
@click.option("--plot", type=options.FILE, panel="Output", help="Draw the times into this file.")
@options.form_options
@options.general_options
def search(
    *,
    faces: int,
    faces_a_person: int,
    probes: int,
    rivals: tuple[str, ...],
    folder: Path | None,
    plot: Path | None,
    form: Form,
) -> None:
    """Measure searches of an SQLite gallery of made-up faces: for persons in it, and for strangers.

    Each way to search runs in a process of its own, so that memory is its own, too. The times are
    those of the best five, after the files were read and other faces searched for. "restart s" and
    "first ms" tell of a gallery just opened, whose files are still on the disk: the time to its
    first answer, and the median of the next hundred. Recall is the share of the persons that an
    exact search of float32 vectors finds; recall@10 is that of the enrolled, nine of whose ten
    nearest persons are strangers that hardly differ.
    """
    import tempfile

    from facecv.entrypoints.cli.bench_roc import check_drawable
    from facecv.entrypoints.cli.search_faces import MadeFaces, nearest_persons
    from facecv.entrypoints.cli.search_timing import MOST, Probes

    if plot:
        check_drawable(plot)
    made = MadeFaces(faces, faces_a_person)
    enrolled = made.probes(2 * probes)[1]
    wanted = Probes(enrolled[:probes], made.strangers(probes), enrolled[probes:])
    chosen = _RIVALS if "all" in rivals else tuple(name for name in rivals if name != "none")
    with tempfile.TemporaryDirectory() as temporary:
        place = folder or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        figures = [_gallery(place, made, wanted), *_rivals(place, made, wanted, chosen)]
    exact = {
        "enrolled": nearest_persons(made, wanted.enrolled, MOST).tolist(),
        "strangers": nearest_persons(made, wanted.strangers, 1).tolist(),
    }
    shapes = _compared([_shape(one, exact) for one in figures])
    if plot:
        output.write_file(plot, _picture(figures, plot.suffix.removeprefix("."), faces))
    output.write_records(form, shapes, _runs_table(shapes))
    if form == "table":
        click.echo()
        output.print_table(_ways_table(shapes))


def _gallery(place: Path, made: "MadeFaces", probes: "Probes") -> "Figures":
    from facecv.entrypoints.cli.search_gallery import fill, measure_gallery

    path = place / "gallery.db"
    output.remark(f"storing {made.faces:,} faces, and building the graph")
    filled = _apart(fill, path, made)
    output.remark("searching the gallery")
    return _apart(measure_gallery, path, filled, probes, _TOP, _CALLERS)


def _rivals(
    place: Path, made: "MadeFaces", probes: "Probes", names: Sequence[str]
) -> "list[Figures]":
    """Return the figures of the rivals, whose 2 KB a face are not kept."""
    from facecv.entrypoints.cli.search_faces import write_matrix

    if not names:
        return []
    matrix = place / "faces.npy"
    try:
        write_matrix(made, matrix)
        found = [_rival(name, matrix, made, probes) for name in names]
    finally:
        matrix.unlink(missing_ok=True)
    return [figures for figures in found if figures]


def _rival(name: str, matrix: Path, made: "MadeFaces", probes: "Probes") -> "Figures | None":
    """Return the figures of a rival; None where it is not installed."""
    from facecv.entrypoints.cli.search_rivals import measure_rival

    output.remark(f"searching with {name}")
    try:
        return _apart(measure_rival, name, matrix, made.faces_a_person, probes, _CALLERS)
    except RuntimeMissingError as error:
        output.remark(str(error))
        return None


def _apart(action: Callable[..., ResultT], *arguments: object) -> ResultT:
    """Return what `action` returns in a process of its own."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(action, *arguments).result()


def _shape(figures: "Figures", exact: Exact) -> Shape:
    from facecv.entrypoints.cli.search_timing import MOST, recall

    return {
        "way": figures.name,
        "enrol_seconds": figures.enrol or None,
        "build_seconds": figures.build,
        "restart_seconds": figures.restart or None,
        "first_ms": figures.first or None,
        "bytes_on_disk": figures.size,
        "bytes_resident": figures.resident,
        "bytes_building": figures.building or None,
        "recall_at_10": recall(figures.deep, exact["enrolled"], MOST),
        "filtered_ms": figures.filtered or None,
        "runs": [_run_shape(run, exact) for run in figures.runs],
    }


def _run_shape(run: "Timed", exact: Exact) -> Shape:
    from facecv.entrypoints.cli.search_timing import recall

    return {
        "probes": run.whose,
        "callers": run.callers,
        "p50_ms": run.p50,
        "p95_ms": run.p95,
        "p99_ms": run.p99,
        "per_second": run.per_second,
        "recall_at_1": recall(run.found, exact[run.whose], 1),
    }


def _compared(shapes: list[Shape]) -> list[Shape]:
    """Return shapes that tell what share of the time of ``faiss-flat`` each way takes."""
    flat = {
        (run["probes"], run["callers"]): run["p50_ms"]
        for shape in shapes
        if shape["way"] == "faiss-flat"
        for run in shape["runs"]
    }
    for shape in shapes:
        for run in shape["runs"]:
            base = flat.get((run["probes"], run["callers"]))
            run["p50_of_faiss_flat"] = run["p50_ms"] / base if base else None
    return shapes


def _runs_table(shapes: Sequence[Shape]) -> "Table":
    """Return how fast and how right each way is."""
    made = tables.table(
        *("way", "probes", "callers", "p50 ms", "p95 ms", "p99 ms", "per second", "of flat"),
        "recall@1",
    )
    for shape in shapes:
        for run in shape["runs"]:
            cells = [
                *(tables.number(run[name], 2) for name in ("p50_ms", "p95_ms", "p99_ms")),
                tables.number(run["per_second"], 0),
                tables.number(run["p50_of_faiss_flat"], 4),
                tables.number(run["recall_at_1"], 4),
            ]
            tables.add_row(made, shape["way"], run["probes"], run["callers"], *cells)
    return made


def _ways_table(shapes: Sequence[Shape]) -> "Table":
    """Return what each way takes: time before the first search, memory, room on the disk."""
    made = tables.table(
        *("way", "recall@10", "enrol s", "build s", "restart s", "first ms", "1 % ms"),
        *("on disk", "resident", "building"),
    )
    for shape in shapes:
        cells = [
            tables.number(shape["recall_at_10"], 3),
            *(tables.number(shape[name], 1) for name in ("enrol_seconds", "build_seconds")),
            tables.number(shape["restart_seconds"], 2),
            *(tables.number(shape[name], 1) for name in ("first_ms", "filtered_ms")),
            *(tables.size_text(shape[name]) for name in ("bytes_on_disk", "bytes_resident")),
            tables.size_text(shape["bytes_building"] or 0),
        ]
        tables.add_row(made, shape["way"], *cells)
    return made


def _picture(figures: "Sequence[Figures]", kind: str, faces: int) -> bytes:
    """Return a picture of the times and of the memory of each way."""
    from facecv.entrypoints.cli.extras import demo_package

    figure: Any = demo_package("matplotlib.figure").Figure(figsize=(8, 3.5), layout="constrained")
    times, memory = figure.subplots(1, 2)
    names = [one.name for one in figures]
    for at, run in enumerate(figures[0].runs):
        places = [number + 0.27 * (at - 1) for number in range(len(names))]
        heights = [one.runs[at].p50 for one in figures]
        times.bar(places, heights, 0.25, label=f"{run.whose}, {run.callers} at once")
    times.set(yscale="log", title=f"median of a search in {faces:,} faces", ylabel="milliseconds")
    times.set_xticks(range(len(names)), names)
    figure.legend(loc="outside lower center", ncols=len(figures[0].runs))
    memory.bar(names, [one.resident / 1e9 for one in figures])
    memory.set(title="resident memory", ylabel="GB")
    for axes in (times, memory):
        axes.tick_params(axis="x", rotation=20)
    content = io.BytesIO()
    figure.savefig(content, format=kind, dpi=150)
    return content.getvalue()
