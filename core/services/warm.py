"""Running a model once on nothing, so that the first real request does not pay for the start."""

import numpy as np

from facecv.core.arrays import Pixels
from facecv.core.ports.detector import Detector, DetectorOptions
from facecv.core.ports.embedder import Embedder


def warm_detector(detector: Detector, options: DetectorOptions | None = None) -> None:
    """Look at a black picture; raises what detecting raises."""
    options = options or DetectorOptions()
    side = options.input_size
    detector.detect([np.zeros((side, side, 3), np.uint8)], options)


def warm_embedder(embedder: Embedder) -> None:
    """Embed a black crop; raises what embedding raises."""
    side = embedder.input_size
    crop: Pixels = np.zeros((1, side, side, 3), np.uint8)
    embedder.embed(crop)
