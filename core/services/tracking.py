"""Following faces from frame to frame.

In the manner of ByteTrack (arXiv:2110.06864): sure detections are linked to tracks first, weak ones
then keep alive the tracks that are left, and only sure ones begin new tracks. Boxes are linked by
their overlap with where a constant velocity would have taken the face, both grown a little, since
faces are small beside their steps from frame to frame (buffered IoU, arXiv:2211.14317).

It is our own because the packages for it (`trackers`, `supervision`) bring matplotlib and scipy
along, and what is needed here is two pages of numpy.
"""

from collections.abc import Iterable, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from facecv.core.face import Detection
from facecv.core.services.motion import Motion

_GROWTH = 0.3
"""Share of its size by which a box grows on each side before overlaps are measured."""
_LEAST_OVERLAP = 0.15
_LEAST_WEAK_OVERLAP = 0.4


@attrs.frozen
class TrackOptions:
    """How faces are followed.

    Attributes:
        sure: score from which a detection may begin a track.
        weak: score from which it may go on with one.
        hits: detections after which a track counts; spurious detections seldom come twice.
        patience: seconds for which a face that is not found is waited for.
    """

    sure: float = attrs.field(default=0.5, validator=attrs.validators.ge(0))
    weak: float = attrs.field(default=0.3, validator=attrs.validators.ge(0))
    hits: int = attrs.field(default=2, validator=attrs.validators.ge(1))
    patience: float = attrs.field(default=1.5, validator=attrs.validators.gt(0))


@attrs.define(eq=False)
class Track:
    """One face over time.

    Attributes:
        number: counts from 1; never used twice by one tracker.
        detection: the face as last found, moved to where it should be by now.
        motion: where it goes.
        seen: time of the last detection, seconds.
        hits: how many detections it has had.
        fresh: whether it was found in the frame last looked at.
        confirmed: whether it has had enough detections to count.
    """

    number: int
    detection: Detection
    motion: Motion
    seen: float
    hits: int = 1
    fresh: bool = True
    confirmed: bool = False

    def found(self, detection: Detection, time: float) -> None:
        """Take a detection of the face."""
        self.motion.correct(detection.box)
        self.detection, self.seen, self.fresh = detection, time, True
        self.hits += 1

    def moved(self, seconds: float) -> None:
        """Move on without a detection."""
        self.motion.advance(seconds)
        (x, y), (was_x, was_y) = self.motion.box.center, self.detection.box.center
        self.detection = self.detection.moved(x - was_x, y - was_y)
        self.fresh = False


@attrs.define(eq=False)
class Tracker:
    """Follows the faces of one stream; for one thread."""

    options: TrackOptions = attrs.field(factory=TrackOptions)
    _tracks: list[Track] = attrs.field(factory=list, init=False)
    _count: int = attrs.field(default=0, init=False)
    _time: float = attrs.field(default=0.0, init=False)

    @property
    def tracks(self) -> list[Track]:
        """The confirmed tracks, those that are waited for included, oldest first."""
        return [track for track in self._tracks if track.confirmed]

    def advance(self, time: float) -> list[Track]:
        """Move all tracks to `time` (seconds, rising); return confirmed ones that have ended."""
        passed = max(time - self._time, 0.0) if self._tracks else 0.0
        self._time = time
        for track in self._tracks:
            track.moved(passed)
            if time - track.seen > self.options.patience / 4:
                track.motion.calm(passed)
        return self._end([t for t in self._tracks if time - t.seen > self.options.patience])

    def update(self, detections: Sequence[Detection], time: float) -> list[Track]:
        """Take the faces found in the frame of `time`; return confirmed tracks that have ended.

        Args:
            detections: in pixels of the frame; weak ones may be among them.
            time: seconds; not before that of earlier calls.
        """
        ended = self.advance(time)
        sure = [face for face in detections if face.score >= self.options.sure]
        weak = [face for face in detections if self.options.weak <= face.score < self.options.sure]
        new, rest = self._link(sure, self._tracks, time, _LEAST_OVERLAP)
        # A weak detection far from where a face should be is more likely noise than that face.
        recent = [track for track in rest if time - track.seen < self.options.patience / 2]
        self._link(weak, recent, time, _LEAST_WEAK_OVERLAP)
        for face in new:
            self._count += 1
            self._tracks.append(Track(self._count, face, Motion.start(face.box), time))
        for track in self._tracks:
            track.confirmed = track.confirmed or track.hits >= self.options.hits
        return ended + self._end([t for t in self._tracks if not (t.confirmed or t.fresh)])

    def finish(self) -> list[Track]:
        """End all tracks; return the confirmed ones."""
        return self._end(list(self._tracks))

    def _link(
        self, faces: Sequence[Detection], tracks: Sequence[Track], time: float, least: float
    ) -> tuple[list[Detection], list[Track]]:
        """Give faces to tracks; return the faces and the tracks that are left."""
        pairs = best_pairs(overlaps(tracks, faces), least)
        for row, column in pairs:
            tracks[row].found(faces[column], time)
        rows, columns = {row for row, _ in pairs}, {column for _, column in pairs}
        return (
            [face for index, face in enumerate(faces) if index not in columns],
            [track for index, track in enumerate(tracks) if index not in rows],
        )

    def _end(self, gone: list[Track]) -> list[Track]:
        self._tracks = [track for track in self._tracks if track not in gone]
        return [track for track in gone if track.confirmed]


def overlaps(tracks: Sequence[Track], faces: Sequence[Detection]) -> NDArray[np.float64]:
    """Return the IoU of grown boxes of tracks and of faces, float64 [T, F]."""
    ours = _grown(track.motion.box.as_tuple() for track in tracks)[:, None]
    theirs = _grown(face.box.as_tuple() for face in faces)[None]
    sides = np.minimum(ours[..., 2:], theirs[..., 2:]) - np.maximum(ours[..., :2], theirs[..., :2])
    common = np.clip(sides, 0, None).prod(axis=-1)
    union = _areas(ours) + _areas(theirs) - common
    quotient: NDArray[np.float64] = common / np.maximum(union, 1e-9)
    return quotient


def best_pairs(score: NDArray[np.float64], least: float) -> list[tuple[int, int]]:
    """Return pairs (row, column) by falling score, each row and column at most once.

    Taking the best first differs from the best assignment of all only where three or more faces
    overlap one another.
    """
    rows, columns = np.nonzero(score >= least)
    order = np.argsort(-score[rows, columns], kind="stable")
    taken: dict[int, int] = {}
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if row not in taken and column not in taken.values():
            taken[row] = column
    return list(taken.items())


def _grown(boxes: Iterable[tuple[float, float, float, float]]) -> NDArray[np.float64]:
    made = np.array(list(boxes), dtype=np.float64).reshape(-1, 4)
    margin = (made[:, 2:] - made[:, :2]) * _GROWTH
    return np.hstack([made[:, :2] - margin, made[:, 2:] + margin])


def _areas(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    areas: NDArray[np.float64] = (boxes[..., 2:] - boxes[..., :2]).prod(axis=-1)
    return areas
