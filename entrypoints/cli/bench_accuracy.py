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
    from facecv.core.evaluation import FoldedAccuracy, Roc, RocPoint
    from facecv.core.lfw import Picture, PicturePair
    from facecv.entrypoints.api import Engine

_RATES = (1e-1, 1e-2, 1e-3, 1e-4)
_RATES_OF_ALL_PAIRS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
_FOLDS = 10


@attrs.frozen(eq=False)
class Measured:
    """What came out.

    Attributes:
        detector: name of the model.
        space: of the embeddings.
        pictures: how many were looked at.
        faceless: paths of those in which no face was found.
        pairs: the pairs of the list.
        unjudged: how many of them lack a face.
        accuracy: over the folds of the list.
        roc: over the pairs of the list, or over all pairs of pictures.
        points: of the curve, at the rates that are shown.
        all_pairs: whether the curve is of all pairs.
    """

    detector: str
    space: "EmbeddingSpace"
    pictures: int
    faceless: Sequence[str]
    pairs: "Sequence[PicturePair]"
    unjudged: int
    accuracy: "FoldedAccuracy"
    roc: "Roc"
    points: "Sequence[RocPoint]"
    all_pairs: bool


@click.command(epilog=EPILOG)
@click.option("--pairs", type=options.FILE, required=True, help="List of pairs in LFW's format.")
@click.option(
    "--images", type=options.FILE, required=True, help="Folder of NAME/NAME_0001.jpg and so on."
)
@click.option(
    "--all-pairs",
    is_flag=True,
    help="Take rates from every pair of pictures in the list: for false-accept rates below 1e-3.",
)
@click.option("--out", type=options.FILE, panel="Output", help="Draw the ROC into this file.")
@click.option(
    "--batch-size", type=click.IntRange(min=1), default=16, help="Pictures looked at together."
)
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
    from facecv.entrypoints.cli.bench_roc import check_drawable, draw_roc

    if out:
        check_drawable(out)
    invocation.overrides.setdefault("detection", {}).setdefault("order", "center")
    measured = _measure(invocation.engine(), _read(pairs), images, batch_size, all_pairs=all_pairs)
    if out:
        draw_roc(out, measured.roc, str(measured.space))
    if not output.write_record(form, _shape(measured)):
        _tell(measured)


def _read(path: Path) -> "Sequence[PicturePair]":
    from facecv.core.lfw import read_pairs

    try:
        return read_pairs(path.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error


def _measure(
    engine: "Engine",
    pairs: "Sequence[PicturePair]",
    folder: Path,
    batch_size: int,
    *,
    all_pairs: bool,
) -> Measured:
    import numpy as np

    from facecv.core.evaluation import Roc, ScoreCounts, folded_accuracy
    from facecv.core.lfw import pictures_of
    from facecv.core.services.evaluate import count_all_pairs, similarities

    pictures = pictures_of(pairs)
    embeddings = _embed(engine, pictures, folder, batch_size)
    places = {picture: index for index, picture in enumerate(pictures)}
    scores = similarities(embeddings, [(places[pair.one], places[pair.other]) for pair in pairs])
    same = [pair.same for pair in pairs]
    if all_pairs:
        counts = count_all_pairs(embeddings, [picture.person for picture in pictures])
    else:
        counts = ScoreCounts.of_pairs(scores, same)
    roc = Roc.of(counts)
    rates = _RATES_OF_ALL_PAIRS if all_pairs else _RATES
    return Measured(
        detector=engine.analyser.detector.blueprint.name,
        space=engine.analyser.embedder.get().space,
        pictures=len(pictures),
        faceless=[p.path for p, found in zip(pictures, embeddings, strict=True) if not found],
        pairs=pairs,
        unjudged=int(np.isnan(scores).sum()),
        accuracy=folded_accuracy(scores, same, _folds(pairs)),
        roc=roc,
        points=[roc.at_far(rate) for rate in rates],
        all_pairs=all_pairs,
    )


def _embed(
    engine: "Engine", pictures: "Sequence[Picture]", folder: Path, batch_size: int
) -> "list[Embedding | None]":
    from facecv.core.services.evaluate import PictureEmbedder

    embedder = PictureEmbedder(engine.analyser, engine.config.detection.options(), batch_size)
    with output.progress() as bars:
        task = bars.add_task("pictures", total=len(pictures))
        return embedder.embed(
            [folder / picture.path for picture in pictures],
            lambda count: bars.advance(task, count),
        )


def _folds(pairs: "Sequence[PicturePair]") -> Sequence[int]:
    """Return the fold of each pair: the list's own, else ten that hold as much of each kind."""
    from facecv.core.evaluation import stratified_folds

    own = [pair.fold for pair in pairs if pair.fold is not None]
    if len(own) == len(pairs):
        return own
    return [int(fold) for fold in stratified_folds([pair.same for pair in pairs], _FOLDS)]


def _shape(measured: Measured) -> Shape:
    result = measured.accuracy
    same = sum(pair.same for pair in measured.pairs)
    return {
        "detector": measured.detector,
        "space": attrs.asdict(measured.space),
        "pictures": measured.pictures,
        "without_face": list(measured.faceless),
        "pairs": {
            "same": same,
            "different": len(measured.pairs) - same,
            "unjudged": measured.unjudged,
        },
        "accuracy": {
            "mean": result.mean,
            "std": result.std,
            "folds": list(result.folds),
            "thresholds": list(result.thresholds),
        },
        "roc": {
            "pairs": "all" if measured.all_pairs else "list",
            "same": measured.roc.genuine,
            "different": measured.roc.impostors,
            "best_threshold": measured.roc.best_threshold,
            "auc": measured.roc.auc,
            "eer": measured.roc.eer,
            "points": [attrs.asdict(point) for point in measured.points],
        },
    }


def _tell(measured: Measured) -> None:
    roc, result = measured.roc, measured.accuracy
    found = measured.pictures - len(measured.faceless)
    facts = tables.table("what", "value")
    for what, value in (
        ("detector", measured.detector),
        ("space", measured.space),
        ("faces found", f"in {found} of {measured.pictures} pictures"),
        ("pairs", f"{len(measured.pairs)}, {measured.unjudged} without a face (errors)"),
        (
            "accuracy",
            f"{result.mean:.2%} ± {result.std:.2%} ({len(result.folds)} folds)",
        ),
        ("rates from", f"{roc.genuine:,} pairs of one person, {roc.impostors:,} of two"),
        ("best threshold", f"{roc.best_threshold:.4f}"),
        ("equal error rate", f"{roc.eer:.3%}"),
        ("area under ROC", f"{roc.auc:.6f}"),
    ):
        tables.add_row(facts, what, value)
    output.print_table(facts)
    click.echo()
    output.print_table(_rates(measured.points))


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
