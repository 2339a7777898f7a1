"""Who should normalise pixels on a CPU: ``python -m tests.benchmarks.bench_pixels``.

Each network runs on normalised pixels, and on bytes that it normalises itself; with the work that
is done for either before. ONNX Runtime is not given bytes by the engine: here it is.
"""

import argparse
import hashlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import attrs
import numpy as np
from rich.console import Console
from rich.table import Table

from facecv.adapters.backends.graph.normalising import take_bytes
from facecv.adapters.backends.graph.rewriting import rewrite
from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from facecv.adapters.backends.openvino import OpenVinoBackend
from facecv.adapters.backends.processor import this_processor
from facecv.adapters.imaging.tensors import Normalizer
from facecv.core.arrays import Pixels
from facecv.core.pack import ModelFile
from facecv.core.paired import paired_seconds
from facecv.core.ports.inference_backend import Session
from tests.real_models import CPU, RealModels

CASES = (
    ("det_500m", 1, (640, 640)),
    ("det_500m", 1, (640, 384)),
    ("det_500m", 1, (192, 192)),
    ("w600k_mbf", 1, (112, 112)),
    ("w600k_mbf", 16, (112, 112)),
)
"""Network, pictures in a run, and their width and height."""


def pairs(model: ModelFile, folder: Path) -> Mapping[str, tuple[Session, Session]]:
    """Return a network that takes floats and one that takes bytes, by what runs them."""
    bytewise = attrs.evolve(CPU, pixels=model.spec.input)
    content, _ = rewrite(model.path.read_bytes(), this_processor().block)
    files = [
        written(model, folder, each) for each in (content, take_bytes(content, model.spec.input))
    ]
    one, other = (OnnxRuntimeBackend().load(file, CPU) for file in files)
    found: dict[str, tuple[Session, Session]] = {"onnxruntime": (one, other)}
    for backend in (OpenVinoBackend(), OpenVinoBackend(precision="bf16")):
        name = "openvino" if len(found) == 1 else "openvino, bf16"
        found[name] = (backend.load(model, CPU), backend.load(model, bytewise))
    return found


def written(model: ModelFile, folder: Path, content: bytes) -> ModelFile:
    """Return a variant of a network, written to a folder."""
    digest = hashlib.sha256(content).hexdigest()
    path = folder / f"{digest}.onnx"
    path.write_bytes(content)
    return attrs.evolve(model, path=path, sha256=digest)


def feed(session: Session, model: ModelFile, pictures: list[Pixels]) -> None:
    """Run a network on pictures of one size."""
    (tensor,) = session.inputs
    height, width = pictures[0].shape[:2]
    planes = Normalizer.of(model.spec.input, tensor).planes(pictures, (width, height))
    session.run({tensor.name: planes})


def main() -> None:
    """Print milliseconds, and the ratio of paired runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--rounds", type=int, default=100)
    given = parser.parse_args()
    models, table = (
        RealModels(given.shared),
        Table("what", "on", "floats, ms", "bytes, ms", "ratio"),
    )
    for name, count, (width, height) in CASES:
        model, rng = models.file(name), np.random.default_rng(0)
        pictures = list(rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8))
        with TemporaryDirectory() as folder:
            for runner, (floats, bytes_) in pairs(model, Path(folder)).items():
                actions = {
                    "floats": partial(feed, floats, model, pictures),
                    "bytes": partial(feed, bytes_, model, pictures),
                }
                seconds = paired_seconds(actions, max(10, given.rounds // count))
                ratio = median(b / a for a, b in zip(*seconds.values(), strict=True))
                cells = [f"{1000 * median(each):.2f}" for each in seconds.values()]
                table.add_row(f"{name} {count} x {width}x{height}", runner, *cells, f"{ratio:.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
