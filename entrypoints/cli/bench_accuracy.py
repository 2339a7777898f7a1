"""``facecv bench accuracy``: how well a detector and an embedder tell persons apart."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import rich_click as click

from facecv.core.errors import InputError
from facecv.entrypoints.cli import options, output, tables
from facecv.entrypoints.cli.errors import EPILOG
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.options import Form
from facecv.entrypoints.cli.shapes import Shape

if TYPE_CHECKING:
    from rich.table import Table

    from facecv.core.embedding import Embedding, EmbeddingSpace
    from facecv.core.evaluation import RocPoint
    from facecv.core.lfw import Picture, PicturePair
    from facecv.core.services.evaluate import PairReport
    from facecv.entrypoints.api import Engine

_RATES = (1e-1, 1e-2, 1e-3, 1e-4)
_RATES_OF_ALL_PAIRS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


@click.command(epilog=EPILOG)
@click.option(
    "--pairs",
    type=options.FILE,
    required=True,
    panel="Pictures",
    help="List of pairs in the format of LFW's pairs.txt.",
)
@click.option(
    "--images",
    type=options.FILE,
    required=True,
    panel="Pictures",
    help="Folder of NAME/NAME_0001.jpg and so on.",
)
@click.option(
    "--all-pairs",
    is_flag=True,
    panel="Pictures",
    help="Take rates from every pair of pictures in the list: for false-accept rates below 1e-3.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=16,
    panel="Pictures",
    help="Pictures looked at together.",
)
@click.option("--out", type=options.FILE, panel="Output", help="Draw the ROC into this file.")
@options.setting(
    "--flip",
    key="embedders.arcface.flip",
    panel="Models",
    is_flag=True,
    default=None,
    help="Add the embedding of the mirrored face.",
)
@options.detection_options
@options.model_options
@options.form_options
@options.general_options
@pass_invocation
def accuracy(
    invocation: Invocation,
    *,
    pairs: Path,
    images: Path,
    all_pairs: bool,
    out: Path | None,
    batch_size: int,
    form: Form,
) -> None:
    """Measure verification by the protocol of Labeled Faces in the Wild.

    Of each picture the face nearest to the middle counts (see --order). The accuracy is the mean
    over ten folds, each judged by the threshold that suits the other nine best; a list without
    folds is split into ten. A pair without a face counts as an error.
    """
    from facecv.core.lfw import pictures_of
    from facecv.core.services.evaluate import evaluate
    from facecv.entrypoints.cli.bench_roc import check_drawable, draw_roc

    if out:
        check_drawable(out)
    invocation.overrides.setdefault("detection", {}).setdefault("order", "center")
    listed, engine = _read(pairs), invocation.engine()
    pictures = pictures_of(listed)
    embeddings = _embed(engine, pictures, images, batch_size)
    report = evaluate(listed, dict(zip(pictures, embeddings, strict=True)), all_pairs=all_pairs)
    space = engine.analyser.embedder.get().space
    if out:
        draw_roc(out, report.roc, str(space))
    if not output.write_record(form, _shape(report, engine, space)):
        _tell(report, engine, space)


def _read(path: Path) -> "Sequence[PicturePair]":
    from facecv.core.lfw import read_pairs

    try:
        return read_pairs(path.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error


def _embed(
    engine: "Engine", pictures: "Sequence[Picture]", folder: Path, batch_size: int
) -> "list[Embedding | None]":
    from facecv.core.services.evaluate import PictureEmbedder

    embedder = PictureEmbedder(engine.analyser, engine.analyser.find, batch_size)
    with output.progress() as bars:
        task = bars.add_task("pictures", total=len(pictures))
        return embedder.embed(
            [folder / picture.path for picture in pictures],
            lambda count: bars.advance(task, count),
        )


def _shape(report: "PairReport", engine: "Engine", space: "EmbeddingSpace") -> Shape:
    return {
        "detector": engine.analyser.detector.blueprint.name,
        "detection": attrs.asdict(engine.analyser.find.detector),
        "space": attrs.asdict(space),
        "pictures": report.pictures,
        "without_face": [picture.path for picture in report.faceless],
        "pairs": {
            "same": report.same,
            "different": report.different,
            "unjudged": report.unjudged,
        },
        "accuracy": attrs.asdict(report.accuracy),
        "roc": {
            "pairs": "all" if report.all_pairs else "list",
            "same": report.roc.genuine,
            "different": report.roc.impostors,
            "best_threshold": report.roc.best_threshold,
            "auc": report.roc.auc,
            "eer": report.roc.eer,
            "points": [attrs.asdict(point) for point in _points(report)],
        },
    }


def _points(report: "PairReport") -> "list[RocPoint]":
    rates = _RATES_OF_ALL_PAIRS if report.all_pairs else _RATES
    return [report.roc.at_far(rate) for rate in rates]


def _tell(report: "PairReport", engine: "Engine", space: "EmbeddingSpace") -> None:
    roc, result, look = report.roc, report.accuracy, engine.analyser.find.detector
    name = engine.analyser.detector.blueprint.name
    found = report.pictures - len(report.faceless)
    facts = tables.table("what", "value")
    for what, value in (
        ("detector", f"{name} at {look.input_size} px, passes {look.passes}"),
        ("space", space),
        ("faces found", f"in {found} of {report.pictures} pictures"),
        ("pairs", f"{report.same} of one person, {report.different} of two"),
        ("pairs without a face", f"{report.unjudged} (each an error)"),
        ("accuracy", f"{result.mean:.2%} ± {result.std:.2%} ({len(result.folds)} folds)"),
        ("rates from", f"{roc.genuine:,} pairs of one person, {roc.impostors:,} of two"),
        ("best threshold", f"{roc.best_threshold:.4f}"),
        ("equal error rate", f"{roc.eer:.3%}"),
        ("area under ROC", f"{roc.auc:.6f}"),
    ):
        tables.add_row(facts, what, value)
    output.print_table(facts)
    click.echo()
    output.print_table(_rates(_points(report)))


def _rates(points: "Sequence[RocPoint]") -> "Table":
    rates = tables.table("FAR at most", "FAR", "TAR", "threshold", "note")
    for point in points:
        note = "" if point.reliable else "too few pairs of different persons to tell"
        tables.add_row(
            rates,
            f"{point.target:g}",
            f"{point.far:.2e}",
            f"{point.tar:.2%}",
            f"{point.threshold:.4f}",
            note,
            style="" if point.reliable else "dim",
        )
    return rates
