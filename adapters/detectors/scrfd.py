"""SCRFD: single-shot face detection (arXiv:2105.04714), every published variant."""

from collections.abc import Sequence
from functools import lru_cache

import attrs
import numpy as np

from facecv.adapters.detectors.scrfd_decode import Candidates, anchor_centres, decode
from facecv.adapters.detectors.scrfd_layout import read_layout
from facecv.adapters.imaging.letterbox import Letterbox
from facecv.adapters.imaging.tensors import Normalizer
from facecv.core.arrays import Pixels, check_pixels
from facecv.core.face import Detection
from facecv.core.pack import InputSpec
from facecv.core.ports.detector import DetectorOptions
from facecv.core.ports.inference_backend import Session

LOW_RESOLUTION = 192
"""Longer side, in pixels, of the pass that finds faces which fill the picture."""


@attrs.frozen(eq=False)
class _View:
    """One look at one picture: which one, its pixels, and how they lie in the input."""

    index: int
    pixels: Pixels
    letterbox: Letterbox


class Scrfd:
    """Finds faces with an SCRFD network.

    Boxes may reach a little beyond the picture, as the network predicts them.
    """

    def __init__(self, session: Session, spec: InputSpec | None = None) -> None:
        """Take a loaded network.

        Args:
            session: the network.
            spec: its preprocessing; None: as published, RGB, (x - 127.5) / 128.

        Raises:
            ModelSignatureError: the network is not an SCRFD.
        """
        self._session = session
        self._normalizer = Normalizer.of(spec or InputSpec(std=128.0))
        self._layout = read_layout(session)
        self._centres = lru_cache(maxsize=64)(anchor_centres)

    def detect(
        self, images: Sequence[Pixels], options: DetectorOptions, /
    ) -> list[list[Detection]]:
        """Return the faces of each picture, by falling score; see `Detector`."""
        views = [
            view
            for index, image in enumerate(images)
            for view in self._views(index, check_pixels(image), options)
        ]
        found: list[list[Candidates]] = [[] for _ in images]
        for view in views:
            found[view.index].append(self._look(view, options.score_threshold))
        return [Candidates.joined(parts).detections(options.nms_threshold) for parts in found]

    def _views(self, index: int, image: Pixels, options: DetectorOptions) -> list[_View]:
        first = _View(index, image, self._letterbox(image, options))
        if options.passes == "single" or self._layout.fixed_size:
            return [first]
        small = Letterbox.rectangle(_size(image), LOW_RESOLUTION, self._layout.multiple)
        return [first, _View(index, image, small)]

    def _letterbox(self, image: Pixels, options: DetectorOptions) -> Letterbox:
        size, multiple = _size(image), self._layout.multiple
        if self._layout.fixed_size:
            return Letterbox.inside(size, self._layout.fixed_size)
        if options.padding == "square":
            side = -(-options.input_size // multiple) * multiple
            return Letterbox.inside(size, (side, side))
        return Letterbox.rectangle(size, options.input_size, multiple)

    def _look(self, view: _View, threshold: float) -> Candidates:
        box = view.letterbox
        tensor = self._normalizer.planes([box.resize(view.pixels)], box.canvas)
        outputs = self._session.run({self._layout.input_name: tensor})
        rows = [np.reshape(output, (-1, output.shape[-1])) for output in outputs]
        candidates = decode(rows, self._layout, box.canvas, threshold, self._centres)
        return candidates.unscaled(box.scale)


def _size(image: Pixels) -> tuple[int, int]:
    return int(image.shape[1]), int(image.shape[0])
