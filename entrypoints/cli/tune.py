"""``facecv tune``: which way of running the models is fastest on this machine."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import rich_click as click

from facecv.core.errors import BackendError
from facecv.entrypoints.cli import options, output, tables
from facecv.entrypoints.cli.errors import EPILOG, one_line
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.options import Form

if TYPE_CHECKING:
    from rich.table import Table

    from facecv.core.arrays import Pixels
    from facecv.core.services.tune import Candidate, Timing
    from facecv.entrypoints.bootstrap import Builder

_BATCHES = (1, 2, 4, 8, 16, 32)
_SIZES = frozenset({320, 480, 640})
_MODEL_KEYS = ("detector", "embedder")
_BATCH_KEY = "embedders.arcface.batch_size"


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
    """Measure backends, threads, batch sizes and input sizes with the configured models.

    PICTURE is what faces are searched in; without it, noise of 1280x960 pixels. Variants of the
    models that 'facecv models quantize' made are measured too. The present way stays unless another
    saves 5 %. Ways whose boxes or embeddings differ from the present one's cannot win (mean overlap
    below 0.9, mean cosine below 0.99), nor can embedders of another space. The input size is only
    measured, since a smaller one misses small faces.
    """
    from facecv.core.services.tune import fastest, measure, measure_sizes

    builder = invocation.builder()
    pixels = _pixels(builder, picture)
    candidates = list(_candidates(builder))
    detection = builder.config.detection.options().detector
    timings = measure(candidates, pixels, detection, batches=_BATCHES, rounds=rounds)
    best = fastest(timings, faces)
    winner = {**best.settings, _BATCH_KEY: best.batch}
    chosen = candidates[timings.index(best)].detector
    wanted = sorted({*_SIZES, detection.input_size})
    found = measure_sizes(chosen, pixels, detection, wanted, rounds)
    sizes = {size: round(seconds * 1000, 2) for size, seconds in found.items()}
    shapes = {
        "ways": [_shape(one, faces) for one in timings],
        "input_sizes": [{"input_size": size, "detect_ms": ms} for size, ms in sizes.items()],
        "fastest": winner,
    }
    if not output.write_record(form, shapes):
        output.print_table(_table(timings, best, faces))
        output.print_table(_size_table(sizes))
    if write:
        _write(invocation.config_file, winner)


def _pixels(builder: "Builder", picture: Path | None) -> "Pixels":
    if picture is not None:
        decoder = builder.build("image_decoders", builder.config.decoder)
        pixels: Pixels = decoder.decode(picture).pixels
        return pixels
    import numpy as np

    return np.random.default_rng(0).integers(0, 256, (960, 1280, 3)).astype(np.uint8)


def _candidates(builder: "Builder") -> "Iterator[Candidate]":
    """Yield every way that works here, the configured one first."""
    from facecv.core.cpu_budget import available_cores

    cores = available_cores()
    present = _present(builder, cores)
    yield _candidate(builder, present)
    missing = set()
    for way in [*_ways(builder, sorted({1, cores})), *_variants(builder, present)]:
        if way == present or way["backend"] in missing:
            continue
        try:
            yield _candidate(builder, way)
        except BackendError as error:
            missing.add(way["backend"])
            output.remark(f"{way['backend']}: {one_line(error)}")


def _present(builder: "Builder", cores: int) -> dict[str, Any]:
    """Return the settings of the configured way."""
    import attrs

    config = builder.config
    way = {"backend": config.backend, "threads": config.threads or cores}
    settings: Any = builder.settings("backends", config.backend)
    if "precision" in attrs.fields_dict(type(settings)):
        way[f"backends.{config.backend}.precision"] = settings.precision
    return way


def _variants(builder: "Builder", present: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the ways of running what 'facecv models quantize' made of the models, on each backend.

    Half precision is for GPUs; on processors it is only slower.
    """
    from facecv.entrypoints.bootstrap import bootstrap
    from facecv.models.variant import variant_name

    packs, analyser = builder.packs().packs, bootstrap(builder.config, builder.catalogue).analyser
    on_processor = builder.config.device in {"auto", "cpu"}
    models = {"detector": analyser.detector, "embedder": analyser.embedder}
    for key, registry in models.items():
        file = registry.blueprint.file
        for precision in ("int8",) if on_processor else ("int8", "fp16"):
            name = variant_name(file, precision) if file else ""
            if name in packs:
                for backend in sorted(builder.catalogue.names("backends")):
                    yield {"backend": backend, "threads": present["threads"], key: name}


def _ways(builder: "Builder", threads: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield the settings of every backend in all its precisions, where it has a choice of them."""
    import attrs

    for name in sorted(builder.catalogue.names("backends")):
        fields = attrs.fields_dict(builder.catalogue.provider("backends", name).settings)
        precisions = get_args(fields["precision"].type) if "precision" in fields else ()
        for count in threads:
            way = {"backend": name, "threads": count}
            yield from ({**way, f"backends.{name}.precision": one} for one in precisions)
            if not precisions:
                yield way


def _candidate(builder: "Builder", settings: Mapping[str, Any]) -> "Candidate":
    from facecv.core.services.tune import Candidate
    from facecv.entrypoints.bootstrap import bootstrap
    from facecv.entrypoints.config import evolve

    config = evolve(builder.config, _nested({**settings, _BATCH_KEY: max(_BATCHES)}))
    analyser = bootstrap(config, builder.catalogue).analyser
    return Candidate(settings, analyser.detector.get(), analyser.embedder.get())


def _shape(timing: "Timing", faces: int) -> dict[str, Any]:
    precisions = [value for key, value in timing.settings.items() if key.endswith(".precision")]
    return {
        "backend": timing.settings["backend"],
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
    batches = [f"embed, {size}" for size in _BATCHES]
    heads = ("backend", "threads", "precision", "other model", "detect, ms", *batches)
    heads += (f"{faces} faces, ms", "cosine", "overlap", "")
    table = tables.table(*heads)
    for one in timings:
        shape = _shape(one, faces)
        mark = "fastest" if one is best else "" if one.sound else _why_not(one)
        names = ", ".join(shape["models"])
        cells = (shape["backend"], shape["threads"], shape["precision"], names, shape["detect_ms"])
        rest = (shape["picture_ms"], shape["cosine"], shape["overlap"], mark)
        tables.add_row(table, *cells, *shape["embed_ms"].values(), *rest)
    return table


def _why_not(timing: "Timing") -> str:
    """Return why a way cannot win."""
    return "other answers" if timing.same_space else "another space"


def _size_table(sizes: Mapping[int, float]) -> "Table":
    table = tables.table("input size", "detect, ms")
    for size, milliseconds in sizes.items():
        tables.add_row(table, size, milliseconds)
    return table


def _write(named: Path | None, winner: Mapping[str, Any]) -> None:
    """Put the winner into the configuration file that applies, or a new one here."""
    import os
    import tomllib

    import tomli_w

    from facecv.entrypoints.config import FILE_NAME, find_file, load, overlaid

    file = find_file(named, os.environ) or Path(FILE_NAME)
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    settings = overlaid(tomllib.loads(text), _nested(winner))
    load(overrides=settings, environment={})
    output.write_file(file, tomli_w.dumps(settings).encode())
    output.remark(f"written to {file}" + ("; its comments are gone" if "#" in text else ""))


def _nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings whose keys have dots, nested like the file."""
    result: dict[str, Any] = {}
    for key, value in settings.items():
        *sections, name = key.split(".")
        place = result
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = value
    return result
