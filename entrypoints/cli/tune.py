"""``facecv tune``: which way of running the models is fastest on this machine."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from facecv.entrypoints.cli import options, output, tables
from facecv.entrypoints.cli.errors import EPILOG
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.options import Form
from facecv.entrypoints.cli.tune_ways import BATCH_KEY, BATCHES, candidates, nested, place

if TYPE_CHECKING:
    from rich.table import Table

    from facecv.core.arrays import Pixels
    from facecv.core.services.tune import Timing
    from facecv.entrypoints.bootstrap import Builder

_SIZES = frozenset({320, 480, 640})
_MODEL_KEYS = ("detector", "embedder")


@click.command(epilog=EPILOG)
@click.argument("picture", type=options.FILE, required=False)
@click.option(
    "--faces",
    type=click.IntRange(min=0),
    default=2,
    show_default=True,
    panel="Measuring",
    help="Faces that your pictures usually show.",
)
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=7,
    show_default=True,
    panel="Measuring",
    help="How often each way is timed.",
)
@click.option("--write", is_flag=True, panel="Output", help="Put the fastest into the file.")
@options.detection_options
@options.model_options
@options.form_options
@options.general_options
@pass_invocation
def tune(
    invocation: Invocation,
    picture: Path | None,
    *,
    faces: int,
    rounds: int,
    write: bool,
    form: Form,
) -> None:
    """Measure backends, devices, threads, batch and input sizes with the configured models.

    PICTURE is what faces are searched in; without it, noise of 1280x960 pixels. Embeddings are
    compared on its faces, and on made-up crops where it shows none. Variants of the models that
    'facecv models quantize' made are measured too, and every device where the configuration says
    'auto'. The present way stays unless another saves 5 %. Ways whose boxes or embeddings differ
    from the present one's cannot win (mean overlap below 0.9, mean cosine below 0.99), nor can
    embedders of another space. The input size is only measured, since a smaller one misses small
    faces.
    """
    from facecv.core.services.tune import fastest, measure, measure_sizes

    builder = invocation.builder()
    pixels = _pixels(builder, picture)
    ways = list(candidates(builder))
    detection = builder.config.detection.options().detector
    aligner = builder.build("face_aligners", builder.config.aligner)
    timings = measure(ways, pixels, detection, aligner, batches=BATCHES, rounds=rounds)
    best = fastest(timings, faces)
    winner = {**best.settings, BATCH_KEY: best.batch}
    chosen = ways[timings.index(best)].detector
    wanted = sorted({*_SIZES, detection.input_size})
    found = measure_sizes(chosen, pixels, detection, wanted, rounds)
    sizes = {size: round(seconds * 1000, 2) for size, seconds in found.items()}
    shapes = {
        "ways": [_shape(one, faces) for one in timings],
        "compared_faces": best.samples,
        "input_sizes": [{"input_size": size, "detect_ms": ms} for size, ms in sizes.items()],
        "fastest": winner,
    }
    if not output.write_record(form, shapes):
        output.print_table(_table(timings, best, faces))
        click.echo(f"milliseconds, embed for each face of a batch; cosines of {_samples(best)}\n")
        output.print_table(_small_table("faces at once", "embed", _shape(best, faces)["embed_ms"]))
        click.echo()
        output.print_table(_small_table("input size", "detect", sizes))
    if write:
        _write(invocation.config_file, winner)


def _pixels(builder: "Builder", picture: Path | None) -> "Pixels":
    if picture is not None:
        decoder = builder.build("image_decoders", builder.config.decoder)
        pixels: Pixels = decoder.decode(picture).pixels
        return pixels
    import numpy as np

    return np.random.default_rng(0).integers(0, 256, (960, 1280, 3)).astype(np.uint8)


def _shape(timing: "Timing", faces: int) -> dict[str, Any]:
    precisions = [value for key, value in timing.settings.items() if key.endswith(".precision")]
    return {
        "backend": timing.settings["backend"],
        "device": timing.settings.get("device"),
        "threads": timing.settings["threads"],
        "precision": precisions[0] if precisions else None,
        "models": [value for key, value in timing.settings.items() if key in _MODEL_KEYS],
        "detect_ms": round(timing.detect * 1000, 2),
        "embed_ms": {str(size): round(s * 1000, 2) for size, s in timing.embed.items()},
        "batch_size": timing.batch,
        "picture_ms": round(timing.seconds(faces) * 1000, 2),
        "cosine": round(timing.cosine, 5),
        "overlap": round(timing.overlap, 4),
        "same_space": timing.same_space,
    }


def _table(timings: "Sequence[Timing]", best: "Timing", faces: int) -> "Table":
    """Return the ways, each with its own best batch; columns without a word are left out."""
    rows = [_row(one, faces, is_best=one is best) for one in timings]
    heads = [head for head in rows[0] if any(row[head] for row in rows)]
    table = tables.table(*heads)
    for row in rows:
        tables.add_row(table, *(row[head] for head in heads))
    return table


def _row(timing: "Timing", faces: int, *, is_best: bool) -> dict[str, object]:
    """Return the cells of a way by the heads of their columns."""
    shape = _shape(timing, faces)
    each = shape["embed_ms"][str(timing.batch)]
    return {
        "backend": place(timing.settings),
        "threads": shape["threads"],
        "precision": shape["precision"],
        "other model": ", ".join(shape["models"]),
        "detect": tables.number(shape["detect_ms"], 2),
        "embed": tables.number(each, 2),
        "batch": timing.batch,
        tables.plural(faces, "face"): tables.number(shape["picture_ms"], 2),
        "cosine": tables.number(shape["cosine"], 4),
        "overlap": tables.number(shape["overlap"], 3),
        "result": "fastest" if is_best else "" if timing.sound else _why_not(timing),
    }


def _why_not(timing: "Timing") -> str:
    """Return why a way cannot win."""
    return "other answers" if timing.same_space else "another space"


def _samples(timing: "Timing") -> str:
    """Return what embeddings were compared on."""
    if not timing.samples:
        return "made-up crops: no picture with a face was given"
    return f"{tables.plural(timing.samples, 'face')} of the picture"


def _small_table(size: str, what: str, times: Mapping[Any, float]) -> "Table":
    """Return milliseconds by size."""
    table = tables.table(size, what)
    for each, milliseconds in times.items():
        tables.add_row(table, each, tables.number(milliseconds, 2))
    return table


def _write(named: Path | None, winner: Mapping[str, Any]) -> None:
    """Put the winner into the configuration file that applies, or a new one here."""
    import os
    import tomllib

    import tomli_w

    from facecv.entrypoints.config import FILE_NAME, find_file, load, overlaid

    file = find_file(named, os.environ) or Path(FILE_NAME)
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    settings = overlaid(tomllib.loads(text), nested(winner))
    load(overrides=settings, environment={})
    output.write_file(file, tomli_w.dumps(settings).encode())
    output.remark(f"written to {file}" + ("; its comments are gone" if "#" in text else ""))
