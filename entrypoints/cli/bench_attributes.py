"""``facecv bench attributes``: how often attribute models are right."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from facecv.core.errors import InputError
from facecv.entrypoints.cli import options, output, tables
from facecv.entrypoints.cli.errors import EPILOG
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.options import Form
from facecv.entrypoints.cli.shapes import Shape

if TYPE_CHECKING:
    from facecv.core.labelled import DataSet
    from facecv.core.services.evaluate_attributes import Score
    from facecv.entrypoints.api import Engine


@click.command(epilog=EPILOG)
@click.option(
    "--data",
    type=options.FILE,
    required=True,
    panel="Pictures",
    help="Folder of utkface, fer2013, mask and spoof; what is not there is left out.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    panel="Pictures",
    help="About so many pictures of each data set; 0: all.",
)
@click.option(
    "--every-picture",
    is_flag=True,
    panel="Pictures",
    help="Not only the fifth that the pack nano was not trained on.",
)
@options.attribute_option
@options.detection_options
@options.model_options
@options.form_options
@options.general_options
@pass_invocation
def attributes(
    invocation: Invocation, *, data: Path, limit: int, every_picture: bool, form: Form
) -> None:
    """Measure attribute models on labelled faces, each model by itself.

    Of each picture the face nearest to the middle counts; pictures without one are not judged.
    UTKFace and FER2013, whose faces fill the picture, get a black border first.
    """
    from facecv.core.labelled import data_sets

    found = [each if every_picture else each.held_out() for each in data_sets(data)]
    if not found:
        raise InputError(f"{data} has no folder utkface, fer2013, mask or spoof with pictures")
    invocation.overrides.setdefault("detection", {}).setdefault("score_threshold", 0.3)
    scores = _measure(invocation.engine(), [each.thinned(limit) for each in found])
    table = tables.table("data", "attribute", "model", "pictures", "judged", "result")
    for score in scores:
        tables.add_row(
            table,
            score.data,
            score.attribute,
            score.model,
            score.pictures,
            score.judged,
            _result(score),
        )
    output.write_records(form, [_shape(score) for score in scores], table)


def _measure(engine: "Engine", data: "Sequence[DataSet]") -> "list[Score]":
    from facecv.core.services.evaluate_attributes import AttributeEvaluator

    evaluator = AttributeEvaluator(engine.analyser, engine.analyser.find)
    scores: list[Score] = []
    with output.progress() as bars:
        for each in data:
            task = bars.add_task(each.name, total=len(each.pictures))
            scores += evaluator.evaluate(each, partial(bars.advance, task))
    return scores


def _result(score: "Score") -> str:
    if score.accuracy is not None:
        return f"{score.accuracy:.1%}"
    return "-" if score.mean_error is None else f"off by {score.mean_error:.2f}"


def _shape(score: "Score") -> Shape:
    return {
        "data": score.data,
        "attribute": score.attribute,
        "model": score.model,
        "pictures": score.pictures,
        "judged": score.judged,
        "accuracy": score.accuracy,
        "mean_error": score.mean_error,
    }
