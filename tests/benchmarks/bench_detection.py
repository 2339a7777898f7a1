"""How well faces are found: ``python -m tests.benchmarks.bench_detection``.

Prints average precision on ``detection_voc`` in one pass and in two, and how many photos of
``lfw_dev`` show no face.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
from rich.console import Console
from rich.table import Table

from facecv.adapters.detectors.scrfd import Scrfd
from facecv.core.arrays import Pixels
from facecv.core.face import Detection
from facecv.core.ports.detector import DetectorOptions
from tests.benchmarks.average_precision import annotated_pictures, average_precision, recall_at
from tests.real_models import RealModels

OPTIONS = (DetectorOptions(passes="single"), DetectorOptions(), DetectorOptions(input_size=320))


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--detectors", nargs="+", default=["det_500m", "scrfd_500m_bnkps"])
    parser.add_argument("--lfw", type=int, default=0, help="photos of lfw_dev; 0: all")
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        _print(RealModels(given.shared, graph_cache=Path(folder)), given)


def _print(models: RealModels, given: argparse.Namespace) -> None:
    pictures = list(annotated_pictures(given.shared / "data/detection_voc"))
    table = Table("detector", "passes", "input", "AP@0.5", "recall at 0.5")
    for name in given.detectors:
        detector = models.detector(name)
        for options in OPTIONS:
            found = _detect(detector, [image for image, _ in pictures], options, score=0.02)
            truths = [boxes for _, boxes in pictures]
            figures = average_precision(truths, found), recall_at(truths, found, 0.5)
            table.add_row(
                name, options.passes, str(options.input_size), *(f"{one:.4f}" for one in figures)
            )
    Console().print(table)
    _print_lfw(models, given.lfw)


def _print_lfw(models: RealModels, count: int) -> None:
    photos = models.photos("lfw_dev/*/*.jpg")[: count or None]
    detector = models.detector()
    for options in OPTIONS[:2]:
        found = _detect(detector, photos, options, score=0.5)
        missed = sum(not faces for faces in found)
        Console().print(f"lfw_dev, {options.passes}: {missed} of {len(photos)} photos without face")


def _detect(
    detector: Scrfd, images: Sequence[Pixels], options: DetectorOptions, *, score: float
) -> list[list[Detection]]:
    return detector.detect(images, attrs.evolve(options, score_threshold=score))


if __name__ == "__main__":
    main()
