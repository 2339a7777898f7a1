"""Memory under pictures of many shapes: ``python -m tests.benchmarks.bench_memory``.

Prints what the process holds after every few hundred pictures, and how many shapes they had.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console
from rich.table import Table

from facecv.core.ports.detector import DetectorOptions
from facecv.core.ports.inference_backend import SessionOptions
from tests.real_models import RealModels


def resident_mib() -> float:
    """Return the resident memory of this process, as Linux counts it."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the system does not say how much memory a process holds")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--input-size", type=int, default=640)
    given = parser.parse_args()
    rng, table = np.random.default_rng(0), Table("pictures", "shapes", "resident, MiB")
    options = DetectorOptions(input_size=given.input_size)
    shapes: set[tuple[int, int]] = set()
    with TemporaryDirectory() as folder:
        models = RealModels(given.shared, SessionOptions(device="cpu", threads=1), Path(folder))
        detector = models.detector()
        for number in range(given.pictures + 1):
            if number % max(1, given.pictures // 8) == 0:
                table.add_row(str(number), str(len(shapes)), f"{resident_mib():.0f}")
            height, width = rng.integers(40, 1200, 2)
            detector.detect([rng.integers(0, 256, (height, width, 3)).astype(np.uint8)], options)
            shapes.add((int(height), int(width)))
    Console().print(table)


if __name__ == "__main__":
    main()
