"""Whole photos of the kinds that matter: ``python -m tests.benchmarks.bench_photos``.

Makes a portrait, a crowd of 120 faces and a phone's photo of twelve megapixels from photos beside
the project, adds the group photo of the insightface package, and hands them to ``facecv bench
photo`` with det_500m and w600k_mbf. Further arguments are passed on to it, such as ``--json`` or
``--backend openvino``.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from facecv.core.arrays import Pixels
from facecv.entrypoints.cli import main as facecv

SHARED = Path("../shared")
PIXELS = 12_000_000
ACROSS, DOWN = 12, 10
HEAD = slice(45, 205)
"""Rows and columns of a photo of LFW that show the head."""


def portrait() -> Pixels:
    """Return a photo of 250 x 250 pixels with one face."""
    return read(_people()[0])


def crowd() -> Pixels:
    """Return a picture of 1920 x 1600 pixels with a face in each of its tiles."""
    heads = [read(path)[HEAD, HEAD] for path in _people()[: ACROSS * DOWN]]
    rows = [np.hstack(heads[start : start + ACROSS]) for start in range(0, len(heads), ACROSS)]
    return np.vstack(rows)


def phone_photo() -> Pixels:
    """Return a portrait of twelve megapixels."""
    return as_by_phone(read(SHARED / "data/groups/Tom_Cruise_avp_2014_4.jpg"))


def as_by_phone(small: Pixels) -> Pixels:
    """Return a photo at twelve megapixels, with a little noise, as sensors make it."""
    factor = (PIXELS / (small.shape[0] * small.shape[1])) ** 0.5
    large = cv2.resize(small, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(0).normal(0, 2, large.shape)
    noisy: Pixels = np.clip(large + noise, 0, 255).astype(np.uint8)
    return noisy


def read(path: Path) -> Pixels:
    """Return a photo, uint8 [H, W, 3] BGR."""
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR), dtype=np.uint8)


def main() -> None:
    """Make the photos in a folder that goes away again, and measure them."""
    insightface = find_spec("insightface")
    if insightface is None or insightface.origin is None:
        raise SystemExit("pip install insightface")
    group = Path(insightface.origin).parent / "data/images/t1.jpg"
    models = ("--detector", "det_500m", "--embedder", "w600k_mbf")
    with TemporaryDirectory() as folder:
        made = {"portrait.png": portrait(), "crowd.png": crowd(), "phone.jpg": phone_photo()}
        paths = [Path(folder) / name for name in made]
        for path, pixels in zip(paths, made.values(), strict=True):
            quality = [cv2.IMWRITE_JPEG_QUALITY, 96] if path.suffix == ".jpg" else []
            cv2.imwrite(str(path), pixels, quality)
        photos = [str(path) for path in (paths[0], group, *paths[1:])]
        where = ("--pack-dir", str(SHARED / "models"))
        sys.argv = ["facecv", "bench", "photo", *photos, *where, *models, *sys.argv[1:]]
        facecv()


def _people() -> list[Path]:
    return sorted((SHARED / "data/lfw_dev").glob("*/*.jpg"))


if __name__ == "__main__":
    main()
