"""``facecv models quantize``: a network in fewer bits, measured before it is installed."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from facecv.core.errors import InputError, ModelError
from facecv.entrypoints.cli import options, output, tables
from facecv.entrypoints.cli.errors import EPILOG
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.options import Form

if TYPE_CHECKING:
    from facecv.core.ports.model_converter import Precision
    from facecv.entrypoints.cli.quantizing import Original, Quantizer
    from facecv.entrypoints.cli.shapes import Shape

BARS: Mapping[str, float] = {"cosine": 0.99, "overlap": 0.9}
"""Least mean agreement with the original, by measure."""


@click.command(epilog=EPILOG)
@click.argument("model", metavar="MODEL", panel="What", help="A detector or an embedder.")
@click.option(
    "--calibrate",
    "folder",
    type=options.FILE,
    required=True,
    metavar="DIR",
    panel="What",
    help="Folder of pictures with faces: one half shows what values occur, the other measures.",
)
@click.option(
    "--to",
    "precision",
    type=click.Choice(["int8", "fp16"]),
    default="int8",
    show_default=True,
    panel="What",
    help="int8 for processors, fp16 for CUDA and TensorRT.",
)
@click.option(
    "--samples",
    type=click.IntRange(min=2),
    default=200,
    show_default=True,
    panel="Measuring",
    help="The most pictures that are looked at.",
)
@click.option(
    "--min-cosine",
    type=click.FloatRange(-1, 1),
    panel="Measuring",
    help="Least mean cosine of embeddings to the original's.  [default: 0.99]",
)
@click.option(
    "--min-overlap",
    type=click.FloatRange(0, 1),
    panel="Measuring",
    help="Least mean overlap (IoU) of boxes with the original's.  [default: 0.9]",
)
@click.option(
    "--max-loss",
    type=click.FloatRange(0, 1),
    default=0.01,
    show_default=True,
    panel="Measuring",
    help="The most by which the accuracy on --pairs may fall.",
)
@click.option(
    "--pairs",
    type=options.FILE,
    panel="Measuring",
    help="Measure the accuracy on this list too, in the format of LFW's pairs.txt.",
)
@click.option("--images", type=options.FILE, panel="Measuring", help="Folder of its pictures.")
@options.detection_options
@options.model_options
@options.form_options
@options.general_options
@pass_invocation
def quantize(
    invocation: Invocation,
    model: str,
    *,
    folder: Path,
    precision: "Precision",
    samples: int,
    min_cosine: float | None,
    min_overlap: float | None,
    max_loss: float,
    pairs: Path | None,
    images: Path | None,
    form: Form,
) -> None:
    """Make a smaller variant of MODEL, and install it if it agrees with the original.

    It becomes a model of its own, called MODEL-int8 or MODEL-fp16, in the folder of the model
    store; its embeddings are a space of their own. Depthwise convolutions stay in single
    precision. Exits with 4, and installs nothing, if it agrees or knows too little.
    """
    from facecv.entrypoints.cli.quantizing import Quantizer, find_original

    if (pairs is None) != (images is None):
        raise click.UsageError("--pairs and --images belong together")
    named = {"cosine": min_cosine, "overlap": min_overlap}
    quantizer = Quantizer(invocation.builder(), precision)
    original = find_original(quantizer.analyser, model)
    with quantizer.draft() as draft:
        figures = _measured(quantizer, original, folder, samples, draft)
        if pairs and images:
            figures |= quantizer.accuracies(original, draft, pairs, images)
        problem = _problem(figures, named, max_loss)
        if not problem and quantizer.replaces_space(original, draft):
            output.warn(f"collections of the earlier {figures['name']} are to be migrated to this")
        path = None if problem else str(quantizer.install(original, draft))
    figures |= {"installed": not problem, "path": path}
    _tell(figures, form)
    if problem:
        raise ModelError(
            f"{figures['name']} is not installed: {problem}",
            hint="take more and better pictures to calibrate, or a lower bar",
        )


def _problem(figures: "Shape", named: Mapping[str, float | None], max_loss: float) -> str:
    """Return why a variant is not good enough; empty if it is."""
    measure, mean = figures["measure"], figures["mean"]
    bar = named[measure]
    bar = BARS[measure] if bar is None else bar
    if mean < bar:
        return f"its mean {measure} with the original is {mean:.4f}, less than {bar:g}"
    loss = round(figures.get("accuracy_of_original", 0.0) - figures.get("accuracy", 0.0), 6)
    return f"it loses {loss:.2%} of accuracy, more than {max_loss:.2%}" if loss > max_loss else ""


def _measured(
    quantizer: "Quantizer", original: "Original", folder: Path, samples: int, draft: Path
) -> "Shape":
    """Make the variant in the folder `draft`, and return how it compares."""
    from facecv.entrypoints.cli.inputs import pictures_in

    found = pictures_in(folder)
    if not found:
        raise InputError(f"the folder {folder} holds no picture")
    step = max(1, len(found) // samples)
    with output.progress() as bars:
        task = bars.add_task("pictures", total=len(found[::step][:samples]))
        seen = quantizer.look(original, found[::step][:samples], lambda: bars.advance(task))
    if len(seen) < 2:
        raise InputError(
            f"{len(seen) or 'no'} face of {folder} can be used, and it takes two",
            hint="name a folder of photos with faces that the detector finds",
        )
    quantizer.convert(original, seen[::2], draft)
    return quantizer.compare(original, seen[1::2], draft)


def _tell(figures: "Shape", form: Form) -> None:
    if output.write_record(form, figures):
        return
    table = tables.table("what", "value")
    measure = figures["measure"]
    faces = tables.plural(figures["samples"], "face")
    agreement = f"{figures['mean']:.4f} in the mean, {figures['least']:.4f} at least, of {faces}"
    for what, value in (
        ("variant", figures["name"]),
        ("size", f"{tables.size_text(figures['size'])} of {tables.size_text(figures['of'])}"),
        (f"{measure} to the original", agreement),
        ("time", f"{figures['time_ratio']:.2f} of the original's, on {figures['provider']}"),
        ("accuracy", _accuracy_text(figures)),
        ("installed", figures["path"] or "no"),
    ):
        if value:
            tables.add_row(table, what, value)
    output.print_table(table)


def _accuracy_text(figures: "Shape") -> str:
    if "accuracy" not in figures:
        return ""
    return f"{figures['accuracy']:.2%}, the original {figures['accuracy_of_original']:.2%}"
