"""``facecv bench photo``: whole photos, from pixels or file to embeddings."""

import io
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import rich_click as click

from facecv.core.errors import FaceCVError, InputError
from facecv.core.ports.inference_backend import SessionOptions
from facecv.entrypoints.cli import options, output, tables
from facecv.entrypoints.cli.errors import EPILOG
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.options import Form
from facecv.entrypoints.cli.shapes import Shape

if TYPE_CHECKING:
    from rich.table import Table

    from facecv.core.services.analyse import Analyser
    from facecv.entrypoints.bootstrap import Builder
    from facecv.entrypoints.cli.network_recorder import Published, Recorder
    from facecv.entrypoints.cli.photo_timing import Peer, PhotoTimes

_WAYS = ("facecv", "limit", "published", "insightface")


@click.command(epilog=EPILOG)
@click.argument("photos", nargs=-1, type=options.FILE, metavar="PHOTOS...", panel="What")
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=15,
    show_default=True,
    panel="What",
    help="How often each way is timed.",
)
@click.option("--plot", type=options.FILE, panel="Output", help="Draw the times into this file.")
@options.detection_options
@options.model_options
@options.form_options
@options.general_options
@pass_invocation
def photo(
    invocation: Invocation,
    photos: tuple[Path, ...],
    *,
    rounds: int,
    plot: Path | None,
    form: Form,
) -> None:
    """Measure how long it takes to find and embed all faces of photos.

    Compared with the limit, the bare networks on the same tensors (and the bare decoding of a
    file), as this engine loads them and as they are published, on ONNX Runtime; and with the
    insightface package on the same weights where it is installed. Without PHOTOS, the group photo
    that comes with insightface is taken.
    """
    from facecv.entrypoints.cli.bench_roc import check_drawable
    from facecv.entrypoints.cli.photo_timing import Rivals, measure

    if plot:
        check_drawable(plot)
    chosen, builder = photos or _own_photo(), invocation.builder()
    analyser, recorder = _recorded(builder)
    with ExitStack() as held:
        rivals = Rivals(_published(builder), _peer(analyser, held))
        times = [
            each for one in chosen for each in measure(analyser, recorder, one, rivals, rounds)
        ]
    if plot:
        output.write_file(plot, _picture(times, plot.suffix.removeprefix(".")))
    output.write_records(form, [_shape(one) for one in times], _table(times))


def _own_photo() -> tuple[Path]:
    """Return the group photo inside the insightface package, found without importing it."""
    package = find_spec("insightface")
    path = Path(package.origin or "").parent / "data/images/t1.jpg" if package else None
    if path is None or not path.is_file():
        raise InputError("no photos were named", hint="facecv bench photo PHOTO.jpg")
    return (path,)


def _recorded(builder: "Builder") -> "tuple[Analyser, Recorder]":
    """Return an analyser of the configuration whose networks are recorded."""
    from facecv.entrypoints.bootstrap import bootstrap
    from facecv.entrypoints.cli.network_recorder import Recorder, RecordingBackend

    recorder, name = Recorder(), builder.config.backend
    entry = builder.catalogue.entry("backends", name)
    provider: Any = builder.catalogue.provider("backends", name)
    recording = attrs.evolve(
        provider, build=lambda request: RecordingBackend(provider.build(request), recorder)
    )
    entries = builder.catalogue.entries
    backends = {**entries["backends"], name: (attrs.evolve(entry, item=recording),)}
    catalogue = attrs.evolve(builder.catalogue, entries={**entries, "backends": backends})
    return bootstrap(builder.config, catalogue).analyser, recorder


def _published(builder: "Builder") -> "Published | None":
    """Return the networks as they are published, on ONNX Runtime where that is installed."""
    from facecv.entrypoints.cli.network_recorder import Published

    try:
        backend = builder.build("backends", "onnxruntime", extra={"prepare": False})
    except FaceCVError:
        return None
    return Published(backend, SessionOptions(device="cpu", threads=builder.config.threads))


def _peer(analyser: "Analyser", held: ExitStack) -> "Peer | None":
    """Return insightface with the same weights, held by `held`; None where it cannot be had."""
    from facecv.entrypoints.cli.photo_timing import insightface_peer

    slots = (analyser.detector.slot(), analyser.embedder.slot())
    files = [slot.blueprint.file for slot in slots]
    try:
        models = [file.path for file in files if file]
        size = analyser.find.detector.input_size
        return held.enter_context(insightface_peer(models, size))
    except ImportError:
        output.remark("insightface is not installed: nothing to compare with")
    except Exception as error:  # noqa: BLE001 - it refuses networks in many ways
        output.remark(f"insightface does not take these networks: {error!r}")
    return None


def _shape(times: "PhotoTimes") -> Shape:
    return {
        "photo": times.photo,
        "start": times.start,
        "faces": times.faces,
        "milliseconds": {
            way: round(1000 * sorted(values)[len(values) // 2], 3)
            for way, values in times.seconds.items()
        },
        "over_limit": times.ratio("facecv", "limit"),
        "over_published": times.ratio("facecv", "published"),
        "times_faster": times.ratio("insightface", "facecv"),
    }


def _table(times: "Sequence[PhotoTimes]") -> "Table":
    made = tables.table(
        *("photo", "start", "faces", "facecv ms", "limit ms", "over limit", "over published"),
        *("insightface ms", "times faster"),
    )
    for one in times:
        ours, limit, theirs = (
            tables.number(one.milliseconds(way), 1) for way in ("facecv", "limit", "insightface")
        )
        over, published = (
            tables.number(one.ratio("facecv", way), 2) for way in ("limit", "published")
        )
        faster = tables.number(one.ratio("insightface", "facecv"), 2)
        tables.add_row(
            made, one.photo, one.start, one.faces, ours, limit, over, published, theirs, faster
        )
    return made


def _picture(times: "Sequence[PhotoTimes]", kind: str) -> bytes:
    """Return a picture of the times over the engine's own, a group of bars a photo."""
    from facecv.entrypoints.cli.extras import demo_package

    width = max(6.0, 1.3 * len(times))
    figure: Any = demo_package("matplotlib.figure").Figure(figsize=(width, 4), layout="constrained")
    axes = figure.add_subplot()
    step = 0.8 / len(_WAYS)
    for place, way in enumerate(_WAYS):
        shown = [(index, one.ratio(way, "facecv")) for index, one in enumerate(times)]
        known = [(index + step * place, value) for index, value in shown if value is not None]
        axes.bar([x for x, _ in known], [value for _, value in known], width=0.9 * step, label=way)
    middles = [index + step * (len(_WAYS) - 1) / 2 for index in range(len(times))]
    axes.set_xticks(middles, [_label(one) for one in times])
    axes.set(ylabel="time, facecv = 1", title="Finding and embedding all faces of a photo")
    axes.axhline(1, color="grey", linewidth=0.8)
    figure.legend(ncols=len(_WAYS), loc="outside lower center")
    content = io.BytesIO()
    figure.savefig(content, format=kind, dpi=150)
    return content.getvalue()


def _label(one: "PhotoTimes") -> str:
    faces = "1 face" if one.faces == 1 else f"{one.faces} faces"
    return f"{one.photo}\n{one.start}, {faces}\n{one.milliseconds('facecv'):.1f} ms"
