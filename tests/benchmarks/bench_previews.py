"""What a reduced decode costs in accuracy: ``python -m tests.benchmarks.bench_previews``.

Every photo of ``people`` as a phone's JPEG of twelve megapixels, analysed from its bytes, which
are decoded no further than need be, and from the pixels of the full decode.
"""

import argparse
import statistics
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from facecv import Engine, Want
from facecv.core.arrays import Pixels
from facecv.core.image import Image
from facecv.core.services.analyse import largest
from tests.benchmarks.bench_photos import as_by_phone, read

WANT = Want(quality=False)


def cosine(engine: Engine, photo: Pixels) -> float | None:
    """Return the cosine of the face's embeddings; None where it is not found in both ways."""
    _, encoded = cv2.imencode(".jpg", as_by_phone(photo), [cv2.IMWRITE_JPEG_QUALITY, 96])
    full = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), dtype=np.uint8)
    ways = (engine.read(encoded.tobytes()), Image(full))
    ours, exact = (largest(engine.analyze(each, WANT)) for each in ways)
    if ours is None or exact is None or ours.embedding is None or exact.embedding is None:
        return None
    return ours.embedding.cosine(exact.embedding)


def main() -> None:
    """Print the lowest and the middle cosine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    shared = parser.parse_args().shared
    engine = Engine.open(
        {"pack_dir": str(shared / "models"), "detector": "det_500m", "embedder": "w600k_mbf"},
        device="cpu",
        gallery="memory",
    )
    photos = [read(path) for path in sorted((shared / "data/people").glob("*/*"))]
    cosines = [cosine(engine, photo) for photo in photos]
    known = [one for one in cosines if one is not None]
    table = Table("photos", "not found in both ways", "lowest cosine", "median")
    figures = (f"{min(known):.5f}", f"{statistics.median(known):.5f}")
    table.add_row(f"{len(photos)}", f"{len(photos) - len(known)}", *figures)
    Console().print(table)


if __name__ == "__main__":
    main()
