"""Watching a video or camera: who comes, who stays, who goes."""

import time as clock
from collections import deque
from collections.abc import Callable, Generator, Sequence
from typing import Literal

import attrs

from facecv.core.event import Event
from facecv.core.face import Detection
from facecv.core.gallery import new_id
from facecv.core.image import Image
from facecv.core.ports.frame_source import FrameSource
from facecv.core.services.analyse import Analyser, Want
from facecv.core.services.announce import Announcer
from facecv.core.services.ballot import Ballot, Verdict
from facecv.core.services.cuts import Found
from facecv.core.services.find import FindOptions
from facecv.core.services.recognise import Recognised
from facecv.core.services.regard import Allowance, LookOptions, Regard
from facecv.core.services.tracking import Track, Tracker, TrackOptions
from facecv.core.stream import Frame, SourceStatus

_TICK = 0.25
"""Seconds after which a source that gives nothing is asked how it is doing."""
_SHOWN = 0.5
"""Seconds for which a face that is not found any more is still shown."""
_REMEMBERED = 2000
Recognise = Callable[[Sequence[Found], Want], Sequence[Recognised]]
"""Describes faces, embeddings included, and says who they are: `Recogniser.recognise`."""


@attrs.frozen
class WatchOptions:
    """How a stream is watched.

    Attributes:
        detect_every: faces are looked for in every frame of this number; where they are in
            between is foretold from how they move.
        track: how faces are followed.
        look: when they are recognised.
        attributes: what else to find out about a face; None: all that can be.
        crops: whether events carry the aligned face.
        find: which faces; None: what the engine is set to.
    """

    detect_every: int = attrs.field(default=2, validator=attrs.validators.ge(1))
    track: TrackOptions = attrs.field(factory=TrackOptions)
    look: LookOptions = attrs.field(factory=LookOptions)
    attributes: frozenset[str] | None = frozenset()
    crops: bool = False
    find: FindOptions | None = None


@attrs.frozen(eq=False)
class Sight:
    """A face in a frame.

    Attributes:
        track: as events name it.
        detection: where, in pixels of the frame; foretold where nobody looked.
        verdict: who.
    """

    track: str
    detection: Detection
    verdict: Verdict


@attrs.frozen(eq=False)
class Watched:
    """A frame and the faces in it."""

    frame: Frame
    sights: tuple[Sight, ...]


@attrs.define
class Tally:
    """Counts of one watcher.

    Attributes:
        frames: frames that were watched.
        searched: frames in which faces were looked for.
        faces: faces found in them.
        tracks: faces that were followed.
        looks: embeddings that were computed.
        events: events that were made.
        latencies: seconds from a frame's arrival until all its events were handed over, of the
            latest frames that had any.
    """

    frames: int = 0
    searched: int = 0
    faces: int = 0
    tracks: int = 0
    looks: int = 0
    events: int = 0
    latencies: deque[float] = attrs.field(factory=lambda: deque(maxlen=_REMEMBERED))


Link = Literal["new", "up", "down"]


@attrs.define(eq=False)
class Watcher:
    """Watches one stream; for one thread. Several may share an analyser.

    Attributes:
        analyser: looks at pictures.
        recognise: says who faces are.
        announcer: makes the events.
        options: how to watch.
        tally: what was done so far; may be read from other threads.
    """

    analyser: Analyser
    recognise: Recognise
    announcer: Announcer
    options: WatchOptions = attrs.field(factory=WatchOptions)
    tally: Tally = attrs.field(factory=Tally)
    _tracker: Tracker = attrs.field(init=False)
    _allowance: Allowance = attrs.field(init=False)
    _regards: dict[int, Regard] = attrs.field(factory=dict, init=False)
    _run: str = attrs.field(factory=lambda: new_id()[:12], init=False)
    _link: Link = attrs.field(default="new", init=False)
    _outages: int = attrs.field(default=0, init=False)
    _last: float = attrs.field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        self._tracker = Tracker(self.options.track)
        self._allowance = Allowance(self.options.look.budget)
        emit = self.announcer.emit

        def counted(event: Event) -> None:
            self.tally.events += 1
            emit(event)

        self.announcer = attrs.evolve(self.announcer, emit=counted)

    def watch(self, source: FrameSource) -> Generator[Watched | None, None, None]:
        """Open a source and yield each frame with the faces in it, until it ends.

        Events are handed over before the frame is yielded. While no frame comes, None is yielded
        some times a second, so that the caller can look at the clock. Close the iterator to stop.

        Raises:
            SourceError: a file cannot be read.
        """
        # The network first: frames of a camera would get lost while it loads.
        with self.analyser.detector.use(self.analyser.choice.detector):
            pass
        with source:
            try:
                yield from self._frames(source)
            finally:
                self._finish(source)

    def _frames(self, source: FrameSource) -> Generator[Watched | None, None, None]:
        while True:
            # Before the frame: one that was taken just before an outage is not a sign of life.
            self._notice(source.status, clock.time())
            frame = source.take(_TICK)
            arrived = clock.time()
            if frame is not None:
                yield self._watch_one(frame, frame.time if source.live else arrived)
            elif source.status.state in {"ended", "closed"}:
                return
            else:
                if source.live:
                    self._forget(self._tracker.advance(arrived))
                yield None

    def _notice(self, status: SourceStatus, time: float) -> None:
        """Tell once that a live source was lost, however often it was tried since."""
        if status.outages > self._outages:
            self._outages = status.outages
            self._go_down(status.problem, time)

    def _go_down(self, why: str, time: float) -> None:
        if self._link != "down":
            self._link = "down"
            self.announcer.down(time, why)

    def _watch_one(self, frame: Frame, arrived: float) -> Watched:
        before = self.tally.events
        if self._link != "up":
            self._link = "up"
            self.announcer.up(frame.time)
        if self.tally.frames % self.options.detect_every == 0:
            self._search(frame)
        else:
            self._forget(self._tracker.advance(frame.time))
        self.tally.frames += 1
        self._last = frame.time
        if self.tally.events > before:
            self.tally.latencies.append(clock.time() - arrived)
        return Watched(frame, self._sights(frame.time))

    def _search(self, frame: Frame) -> None:
        """Find the faces of a frame, follow them, and recognise those for which it is time."""
        faces = self.analyser.detect([Image(frame.pixels)], self._find())[0]
        self.tally.searched += 1
        self.tally.faces += sum(face.score >= self.options.track.sure for face in faces)
        ended = self._tracker.update([face.detection for face in faces], frame.time)
        self._forget(ended)
        qualities = {id(f.detection): f.quality.score for f in faces if f.quality}
        for track in self._tracker.tracks:
            if track.number not in self._regards:
                self._meet(track, frame.time)
        self._look(frame, qualities)

    def _find(self) -> FindOptions:
        find = self.options.find or self.analyser.find
        weak = min(self.options.track.weak, find.detector.score_threshold)
        return attrs.evolve(find, detector=attrs.evolve(find.detector, score_threshold=weak))

    def _meet(self, track: Track, time: float) -> None:
        regard = Regard(f"{self._run}-{track.number}", Ballot(self.options.look.agree))
        self._regards[track.number] = regard
        self.tally.tracks += 1
        self.announcer.appeared(track, regard, time)

    def _look(self, frame: Frame, qualities: dict[int, float]) -> None:
        """Recognise the faces for which it is time, the most urgent first, within the budget."""
        due = [
            (track, qualities[id(track.detection)])
            for track in self._tracker.tracks
            if track.fresh and self._is_due(track, qualities.get(id(track.detection)), frame.time)
        ]
        due.sort(key=lambda pair: self._urgency(*pair))
        chosen = due[: self._allowance.take(len(due), frame.time)]
        want = Want(False, True, self.options.crops, self.options.attributes)
        found = [(frame.pixels, track.detection) for track, _ in chosen]
        recognised = self.recognise(found, want) if found else []
        self.tally.looks += len(recognised)
        for (track, quality), (face, answer) in zip(chosen, recognised, strict=True):
            regard = self._regards[track.number]
            regard.look(face, quality, answer, frame.time)
            self.announcer.judged(track, regard, frame.time)

    def _is_due(self, track: Track, quality: float | None, time: float) -> bool:
        regard = self._regards[track.number]
        return quality is not None and regard.is_due(quality, time, self.options.look)

    def _urgency(self, track: Track, quality: float) -> tuple[bool, int, float]:
        """Return what sorts a face before others: not known yet, seldom looked at, well seen."""
        regard = self._regards[track.number]
        return regard.verdict.standing != "open", regard.ballot.count, -quality

    def _forget(self, ended: Sequence[Track]) -> None:
        for track in ended:
            self.announcer.left(track, self._regards.pop(track.number))

    def _finish(self, source: FrameSource) -> None:
        self._forget(self._tracker.finish())
        if self._link == "up":
            time = clock.time() if source.live else self._last
            self._go_down(source.status.problem or "the stream has ended", time)

    def _sights(self, time: float) -> tuple[Sight, ...]:
        return tuple(
            Sight(regard.name, track.detection, regard.verdict)
            for track in self._tracker.tracks
            if time - track.seen <= _SHOWN and (regard := self._regards.get(track.number))
        )
