"""What our code adds to the network's own time: ``python -m tests.benchmarks.bench_overhead``.

"Published" is the network as it is loaded without preparation for the processor, "network" as the
engine loads it; what our code adds is given over the latter, the smaller of the two.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console
from rich.table import Table

from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from facecv.adapters.imaging.letterbox import Letterbox
from facecv.adapters.imaging.tensors import Normalizer
from facecv.core.arrays import Pixels
from facecv.core.paired import overhead, paired_seconds
from facecv.core.ports.detector import DetectorOptions
from facecv.core.ports.inference_backend import SessionOptions
from tests.real_models import RealModels

ROUNDS = 30
BATCH = 16
"""Crops in one run, as the embedder takes them."""

SINGLE = DetectorOptions(passes="single")


def detection(
    models: RealModels, name: str, photos: Sequence[Pixels], rounds: int
) -> dict[str, list[float]]:
    """Return seconds of the bare network, of one pass and of both, for some photos in turn."""
    model = models.file(name)
    session, published = models.session(model), OnnxRuntimeBackend().load(model, models.options)
    detector, normalizer = models.detector(name), Normalizer.of(model.spec.input)
    tensors = []
    for photo in photos:
        box = Letterbox.inside((photo.shape[1], photo.shape[0]), (640, 640)).trimmed(32)
        tensors.append(normalizer.planes([box.resize(photo)], box.canvas).copy())
    actions = {
        "published": lambda: [published.run({"input.1": tensor}) for tensor in tensors],
        "bare": lambda: [session.run({"input.1": tensor}) for tensor in tensors],
        "ours": lambda: [detector.detect([photo], SINGLE) for photo in photos],
        "ours, auto": lambda: [detector.detect([photo], DetectorOptions()) for photo in photos],
    }
    return paired_seconds(actions, rounds)


def embedding(models: RealModels, name: str, count: int, rounds: int) -> dict[str, list[float]]:
    """Return seconds of the bare network and of ours, for some crops."""
    model = models.file(name)
    session, published = models.session(model), OnnxRuntimeBackend().load(model, models.options)
    embedder = models.embedder(name)
    crops = np.random.default_rng(0).integers(0, 255, (count, 112, 112, 3), dtype=np.uint8)
    tensor = Normalizer.of(model.spec.input).planes(list(crops), (112, 112))
    source = session.inputs[0].name
    feeds = [{source: tensor[start : start + BATCH]} for start in range(0, count, BATCH)]
    actions = {
        "published": lambda: [published.run(feed) for feed in feeds],
        "bare": lambda: [session.run(feed) for feed in feeds],
        "ours": lambda: embedder.embed(crops),
    }
    return paired_seconds(actions, rounds)


def main() -> None:
    """Print a table of paired medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    options = SessionOptions(device="cpu", threads=given.threads)
    with TemporaryDirectory() as folder:
        _print(RealModels(given.shared, options, Path(folder)), given.rounds)


def _print(models: RealModels, rounds: int) -> None:
    heads = ("published, ms", "network, ms", "of published", "ours, ms", "overhead")
    table = Table("what", *heads, "auto over one pass")
    photos = models.photos("groups/*.jpg")
    by_size = {f"{p.shape[1]}x{p.shape[0]}": [p] for p in photos}
    for name in ("det_500m", "det_2.5g"):
        for what in ("500x375", "1366x768", f"{len(photos)} photos"):
            some = by_size.get(what, photos)
            times = detection(models, name, some, max(5, rounds // len(some)))
            both = overhead(times["ours"], times["ours, auto"])
            table.add_row(f"{name} {what}", *_cells(times), f"{both:+.1%}")
    for count in (1, 16, 256):
        times = embedding(models, "w600k_mbf", count, max(5, rounds // (1 + count // 8)))
        table.add_row(f"w600k_mbf x{count}", *_cells(times), "")
    Console().print(table)


def _cells(times: Mapping[str, Sequence[float]]) -> tuple[str, ...]:
    published, bare, ours = times["published"], times["bare"], times["ours"]
    milliseconds = [f"{median(one) * 1e3:.2f}" for one in (published, bare, ours)]
    share, added = 1 + overhead(published, bare), overhead(bare, ours)
    return *milliseconds[:2], f"{share:.0%}", milliseconds[2], f"{added:+.1%}"


if __name__ == "__main__":
    main()
