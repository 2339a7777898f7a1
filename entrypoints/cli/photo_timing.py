"""Whole photos through the engine, against the bare networks and against insightface."""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import cv2
import numpy as np

from facecv.core.arrays import Pixels
from facecv.core.image import Image
from facecv.core.paired import Action, paired_seconds
from facecv.core.services.analyse import Analyser, Want
from facecv.entrypoints.cli.network_recorder import Published, Recorder

Peer = Callable[[Pixels], object]
"""Finds and embeds all faces of a BGR picture."""

_REDUCED = {4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}
_WANT = Want(quality=False)
_REST = 0.08
"""Seconds in which the threads of insightface's networks stop spinning."""


@attrs.frozen(eq=False)
class Rivals:
    """What the engine is compared with, beside its own networks alone.

    Attributes:
        published: the networks as they are published; None: not at hand.
        peer: insightface; None: not at hand.
    """

    published: Published | None = None
    peer: Peer | None = None


@attrs.frozen
class PhotoTimes:
    """Seconds of each round, all ways taking turns.

    Attributes:
        photo: its name.
        start: what it starts from, ``array`` or ``file``.
        faces: how many were found.
        seconds: way (``facecv``, ``limit``, perhaps ``published``, ``insightface``) to seconds.
    """

    photo: str
    start: str
    faces: int
    seconds: Mapping[str, Sequence[float]]

    def milliseconds(self, way: str) -> float | None:
        """Return the median of a way; None: it was not measured."""
        return 1000 * statistics.median(self.seconds[way]) if way in self.seconds else None

    def ratio(self, one: str, other: str) -> float | None:
        """Return the median over the rounds of `one` over `other`; None: not measured."""
        if one not in self.seconds or other not in self.seconds:
            return None
        pairs = zip(self.seconds[one], self.seconds[other], strict=True)
        return statistics.median(a / b for a, b in pairs)


def measure(
    analyser: Analyser, recorder: Recorder, photo: Path, rivals: Rivals, rounds: int
) -> list[PhotoTimes]:
    """Return the times of a photo as an array in hand and as a file's content.

    The limit of an array is its networks alone; that of a file is OpenCV's decoding at the scale
    that the engine chose, and its networks.
    """
    data = photo.read_bytes()
    encoded = np.frombuffer(data, dtype=np.uint8)
    pixels = analyser.decoder.decode(data).pixels
    first = analyser.read(data).preview
    flag = _REDUCED[first.reduction] if first else cv2.IMREAD_COLOR

    def decoded(how: int = cv2.IMREAD_COLOR) -> Pixels:
        return np.asarray(cv2.imdecode(encoded, how), dtype=np.uint8)

    starts: dict[str, tuple[Callable[[], int], Action, Callable[[], Pixels]]] = {
        "array": (lambda: _analyse(analyser, Image(pixels)), lambda: None, lambda: pixels),
        "file": (
            lambda: _analyse(analyser, analyser.read(data)),
            lambda: decoded(flag),
            decoded,
        ),
    }
    found = []
    for start, (ours, before, whole) in starts.items():
        faces = recorder.record(ours)
        actions = {"facecv": ours, "limit": _both(before, recorder.again)}
        if rivals.published:
            actions["published"] = _both(before, rivals.published.again(recorder.runs))
        if rivals.peer:
            actions["insightface"] = partial(_of_whole, rivals.peer, whole)
        seconds = paired_seconds(actions, rounds, rest=_REST)
        found.append(PhotoTimes(photo.name, start, faces, seconds))
    return found


def _both(first: Action, second: Action) -> Action:
    def both() -> None:
        first()
        second()

    return both


def _of_whole(peer: Peer, whole: Callable[[], Pixels]) -> object:
    return peer(whole())


def _analyse(analyser: Analyser, image: Image) -> int:
    return len(analyser.analyse([image], _WANT)[0])


@contextmanager
def insightface_peer(models: Sequence[Path], input_size: int) -> Iterator[Peer]:
    """Hold insightface's own analysis with the same weights.

    Raises:
        ImportError: the package is not installed.
    """
    from insightface.app import FaceAnalysis

    with TemporaryDirectory() as root:
        pack = Path(root) / "models" / "same"
        pack.mkdir(parents=True)
        for path in models:
            (pack / path.name).symlink_to(path.resolve())
        with redirect_stdout(StringIO()):
            app: Any = FaceAnalysis("same", root=root, providers=["CPUExecutionProvider"])
            app.prepare(ctx_id=-1, det_size=(input_size, input_size))
        yield app.get
