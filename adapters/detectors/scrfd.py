"""SCRFD: single-shot face detection (arXiv:2105.04714), every published variant.

At 640 pixels an SCRFD does not see faces that fill the picture. A second pass over the picture at
192 pixels does, for a tenth of the time: average precision of det_500m on close-ups rises from .914
to .991 (128 pixels: .979, 160: .969, 224: .990). What the first pass is sure of stands, since its
boxes and landmarks are finer; everything else competes by score in one non-maximum suppression.
Beside a sure face there is no second pass unless there is room for one that fills the picture, and
the anchors for large faces saw a trace of one. The small picture is made from the first pass's, and
stretched to multiples of 32 pixels: a border would cost accuracy (.95 instead of .99), and time.

The black border that makes a square of the input is left out, which saves a quarter of the time at
4:3. A face beside the edge where it would be comes out a little otherwise then (up to one pixel of
the input for a face that is not cut off), which is several pixels of a large photo, and embeddings
made with the border would be farther away than need be. Such a photo is looked at with its border.

A picture of four times the input size and more is made smaller by averaging first, as decoders
scale JPEG files: sampled without that, the noise of twelve megapixels moves landmarks of det_500m
by 0.09 pixels of an aligned crop instead of 0.05, for 1.7 ms less. With square padding it is
sampled as the insightface package does.

A small picture is enlarged to the input size, as the insightface package does: that finds smaller
faces and gives the same boxes. Where the manifest of a network says `enlarge = false` it is not:
close-ups of 240 to 400 pixels then take half the time.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial

import attrs
import numpy as np

from facecv.adapters.detectors.scrfd_decode import Anchors, Candidates, decode
from facecv.adapters.detectors.scrfd_layout import Size, read_layout
from facecv.adapters.imaging.letterbox import Letterbox
from facecv.adapters.imaging.shrink import shrunk
from facecv.adapters.imaging.tensors import Normalizer
from facecv.core.arrays import Pixels, check_pixels
from facecv.core.face import Detection
from facecv.core.image import Preview
from facecv.core.pack import InputSpec
from facecv.core.ports.detector import DetectorOptions
from facecv.core.ports.inference_backend import Session

LOW_RESOLUTION = 192
"""Longer side, in pixels, of the pass that finds faces which fill the picture."""

SURE = 0.5
"""From this score on, what the first pass finds is not replaced by the second."""

FILLING = 0.2
"""Share of the picture's longer side below which the second pass is not believed: a dozen or two
of its pixels are no evidence, and the first pass sees such faces well."""

LARGE = 0.6
"""Share of the picture's longer side from which a face leaves no room for one that fills it."""

HINT = 0.045
"""Score below which anchors for large faces see nothing at all. Where nothing is, det_500m and
det_2.5g give .036 to .042; to faces of up to .8 of the longer side that they miss, .07 and more."""

BESIDE = 32
"""Pixels of the input between a face and the edge of the picture within which the border counts."""

SHRUNK = 0.75
"""Scale from which on differences of a pixel of the input are too small to look for."""


@attrs.frozen(eq=False)
class _View:
    """One look at one picture.

    Attributes:
        pixels: the picture, resized to the content of the letterbox.
        letterbox: how it lies in the network's input.
    """

    pixels: Pixels
    letterbox: Letterbox

    @classmethod
    def of(cls, image: Pixels, letterbox: Letterbox) -> "_View":
        return cls(letterbox.resize(image), letterbox)


class Scrfd:
    """Finds faces with an SCRFD network.

    Boxes may reach a little beyond the picture, as the network predicts them.
    """

    def __init__(
        self,
        session: Session,
        spec: InputSpec | None = None,
        *,
        batch_size: int = 8,
        enlarge: bool = True,
    ) -> None:
        """Take a loaded network.

        Args:
            session: the network.
            spec: its preprocessing; None: as published, RGB, (x - 127.5) / 128.
            batch_size: pictures of one shape in one run, where the network takes several.
            enlarge: whether a picture smaller than the input size is enlarged to it.

        Raises:
            ModelSignatureError: the network is not an SCRFD.
        """
        self._session = session
        self._enlarge = enlarge
        self._layout = read_layout(session)
        self._normalizer = Normalizer.of(spec or InputSpec(std=128.0), session.inputs[0])
        self._batch_size = batch_size if self._layout.batched else 1
        self._anchors = lru_cache(maxsize=64)(partial(Anchors.of, self._layout))

    def detect(
        self, images: Sequence[Pixels], options: DetectorOptions, /
    ) -> list[list[Detection]]:
        """Return the faces of each picture, by falling score; see `Detector`.

        Raises:
            InputError: something is not a picture.
            InferenceError: the network failed.
        """
        looks = [_shrunk(check_pixels(image), options) for image in images]
        trim = options.padding != "square"
        views = [
            _View.of(
                look.pixels, self._letterbox(_size(look.pixels), options.input_size, trim=trim)
            )
            for look in looks
        ]
        found = self._look(views, options.score_threshold)
        if options.passes == "auto":
            self._look_with_border(views, looks, found, options)
            self._look_for_large(views, looks, found, options)
        return [
            _in_full(candidates, look).detections(options.nms_threshold)
            for look, candidates in zip(looks, found, strict=True)
        ]

    def _look_with_border(
        self,
        views: Sequence[_View],
        looks: Sequence[Preview],
        found: list[Candidates],
        options: DetectorOptions,
    ) -> None:
        """Replace what was found in pictures whose border counts."""
        bordered = self._bordered(views, looks, found, options)
        seen = self._look([*bordered.values()], options.score_threshold)
        for index, candidates in zip(bordered, seen, strict=True):
            found[index] = candidates

    def _look_for_large(
        self,
        views: Sequence[_View],
        looks: Sequence[Preview],
        found: list[Candidates],
        options: DetectorOptions,
    ) -> None:
        """Add the faces that fill a picture, from the second pass, to what was found."""
        sizes = [_size(look.pixels) for look in looks]
        again = [i for i, seen in enumerate(found) if self._needs_second(seen, sizes[i])]
        small = [_View.of(views[i].pixels, self._low_letterbox(sizes[i])) for i in again]
        seen = self._look(small, options.score_threshold)
        for index, candidates in zip(again, seen, strict=True):
            filling = candidates.at_least(FILLING * max(sizes[index]))
            found[index] = Candidates.joined([found[index].preferred_from(SURE), filling])

    def _bordered(
        self,
        views: Sequence[_View],
        looks: Sequence[Preview],
        found: Sequence[Candidates],
        options: DetectorOptions,
    ) -> dict[int, _View]:
        """Return the views, with their borders, of the pictures where these count, by index."""
        bordered = {}
        for index, (view, look, seen) in enumerate(zip(views, looks, found, strict=True)):
            if view.letterbox.scale[0] / look.reduction < SHRUNK:
                whole = self._letterbox(_size(look.pixels), options.input_size, trim=False)
                if _border_counts(view.letterbox, whole, seen):
                    bordered[index] = _View(view.pixels, whole)
        return bordered

    def _needs_second(self, seen: Candidates, size: Size) -> bool:
        """Say whether a low-resolution pass is worth its time.

        With a fixed input it costs as much as the first, so only an empty picture gets one.
        """
        if self._layout.fixed_size:
            return not len(seen.scores)
        largest = seen.largest(SURE)
        return not largest or (seen.hint >= HINT and largest < LARGE * max(size))

    def _letterbox(self, size: Size, input_size: int, *, trim: bool) -> Letterbox:
        multiple = self._layout.multiple
        longest = input_size if self._enlarge else max(size)
        side = -(-min(input_size, longest) // multiple) * multiple
        box = Letterbox.inside(size, self._layout.fixed_size or (side, side))
        return box.trimmed(multiple) if trim and not self._layout.fixed_size else box

    def _low_letterbox(self, size: Size) -> Letterbox:
        fixed = self._layout.fixed_size
        if not fixed:
            return Letterbox.filled(size, LOW_RESOLUTION, self._layout.multiple)
        box = Letterbox.inside(size, (LOW_RESOLUTION, LOW_RESOLUTION))
        return attrs.evolve(box, canvas=fixed)

    def _look(self, views: Sequence[_View], threshold: float) -> list[Candidates]:
        """Return the candidates of each view, in pixels of its picture."""
        found: dict[int, Candidates] = {}
        for batch in self._batches(views):
            canvas = views[batch[0]].letterbox.canvas
            tensor = self._normalizer.planes([views[index].pixels for index in batch], canvas)
            outputs = self._session.run({self._layout.input_name: tensor})
            anchors = self._anchors(canvas)
            for place, index in enumerate(batch):
                rows = [output[place] if output.ndim == 3 else output for output in outputs]
                seen = decode(rows, self._layout, anchors, threshold)
                found[index] = seen.unscaled(views[index].letterbox.scale)
        return [found[index] for index in range(len(views))]

    def _batches(self, views: Sequence[_View]) -> Iterator[list[int]]:
        """Yield indices of views that go through the network together."""
        groups: dict[Size, list[int]] = {}
        for index, view in enumerate(views):
            groups.setdefault(view.letterbox.canvas, []).append(index)
        for group in groups.values():
            for start in range(0, len(group), self._batch_size):
                yield group[start : start + self._batch_size]


def _shrunk(image: Pixels, options: DetectorOptions) -> Preview:
    """Return what to look at, unless the insightface package's own samples are asked for."""
    whole = options.padding == "square"
    return Preview(image) if whole else shrunk(image, options.input_size)


def _in_full(candidates: Candidates, look: Preview) -> Candidates:
    """Return candidates in the pixels of the picture that was shrunk."""
    part = 1 / look.reduction
    return candidates if look.reduction == 1 else candidates.unscaled((part, part))


def _size(image: Pixels) -> Size:
    return int(image.shape[1]), int(image.shape[0])


def _border_counts(trimmed: Letterbox, whole: Letterbox, seen: Candidates) -> bool:
    """Say whether a sure face lies beside an edge without its border."""
    sure = seen.points[seen.scores >= SURE, 1] * np.array(trimmed.scale, np.float32)
    beside = sure > np.subtract(trimmed.content, BESIDE)
    missing = np.less(trimmed.canvas, whole.canvas)
    return bool((beside & missing).any())
