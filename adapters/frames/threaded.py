"""A source that reads in a thread of its own, and tries again for as long as it is open."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Self

import attrs
import structlog

from facecv.adapters.frames.mailbox import Mailbox
from facecv.core.arrays import Pixels
from facecv.core.backoff import Backoff
from facecv.core.errors import FaceCVError, SourceError
from facecv.core.stream import Frame, SourceState, SourceStatus

CAMERA_BACKOFF = Backoff(first=0.5, longest=3.0)
"""Asking a dead camera costs next to nothing; opening takes up to two seconds more."""
_AHEAD = 4
"""Pictures of a file that are decoded ahead."""


@attrs.frozen(eq=False)
class Grab:
    """A picture that was decoded, but not yet turned into BGR: most of a camera's never are.

    Attributes:
        time: seconds since the stream began; None: the moment of arrival.
        pixels: returns uint8 [H, W, 3] BGR; called at most once, from any thread.
    """

    time: float | None
    pixels: Callable[[], Pixels]


Reader = Callable[[], Generator[Grab, None, None]]
"""Opens the source anew and yields what comes; raises `SourceError`; closing it closes all."""


@attrs.frozen(eq=False)
class SourceOptions:
    """How a source is read.

    Attributes:
        live: whether the newest picture counts and a lost source is tried again.
        fps: the most frames a second to hand over; 0: all.
        backoff: how long to wait before a lost source is tried again.
        patience: seconds that closing waits for a reader that hangs.
    """

    live: bool
    fps: float = 0.0
    backoff: Backoff = CAMERA_BACKOFF
    patience: float = 10.0


class ThreadedSource:
    """Hands over what a reader yields: every picture of a file, the newest of a live source."""

    def __init__(self, name: str, reader: Reader, options: SourceOptions) -> None:
        """Make a source that is not open yet.

        Args:
            name: without secrets.
            reader: opens it.
            options: how to read it.
        """
        self._name = name
        self._reader = reader
        self._options = options
        self._box: Mailbox[tuple[int, float, Grab]] = Mailbox(
            1 if options.live else _AHEAD, replace=options.live
        )
        self._pace = _Pace(options.fps)
        self._status = SourceStatus()
        self._failure: FaceCVError | None = None
        self._stop = threading.Event()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._read, name=f"frames {name}", daemon=True)

    @property
    def name(self) -> str:
        """What people call it."""
        return self._name

    @property
    def live(self) -> bool:
        """Whether frames get lost unless they are taken in time."""
        return self._options.live

    @property
    def status(self) -> SourceStatus:
        """How it is doing; it has not ended before its last frame is taken."""
        status = attrs.evolve(self._status, dropped=self._box.dropped)
        if status.state == "ended" and not self._box.is_empty:
            return attrs.evolve(status, state="running")
        return status

    def __enter__(self) -> Self:
        """Begin to read."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop reading."""
        self._stop.set()
        self._box.close()
        if self._thread.is_alive():
            self._thread.join(self._options.patience)
        self._set("closed", self._status.problem)

    def take(self, timeout: float, /) -> Frame | None:
        """Return the next frame, or the newest; raise what ended a file."""
        item = self._box.take(timeout, self._done)
        if item is not None:
            index, moment, grab = item
            return Frame(index, moment, grab.pixels())
        if self._failure:
            failure, self._failure = self._failure, None
            raise failure
        return None

    def _read(self) -> None:
        """Read until the source is closed, or until a file ends."""
        failures = 0
        while not self._stop.is_set():
            before = self._status.frames
            problem = self._read_once()
            if self._stop.is_set():
                break
            if not self._options.live:
                self._end(problem)
                break
            failures = 1 if self._status.frames > before else failures + 1
            self._retry(problem or SourceError("the stream has ended"), failures)
        self._done.set()
        self._box.wake()

    def _read_once(self) -> FaceCVError | None:
        """Open the source and read as long as it lasts; return why it broke off."""
        try:
            with closing(self._reader()) as grabs:
                for grab in grabs:
                    if self._stop.is_set() or not self._deliver(grab):
                        return None
        except FaceCVError as error:
            return error
        return None

    def _deliver(self, grab: Grab) -> bool:
        moment = time.time() if grab.time is None else grab.time
        index = self._status.frames
        self._status = attrs.evolve(self._status, state="running", problem="", frames=index + 1)
        return not self._pace.wants(moment) or self._box.put((index, moment, grab))

    def _end(self, problem: FaceCVError | None) -> None:
        self._failure = problem
        self._set("ended", problem.message if problem else "")

    def _retry(self, problem: FaceCVError, failures: int) -> None:
        """Say that the source is lost, and wait before it is tried again."""
        delay = self._options.backoff.delay(failures)
        log = structlog.get_logger()
        log.warning("source lost", source=self._name, problem=problem.message, retry_in=delay)
        self._box.clear()  # before the status tells of the outage
        lost = self._status.state != "retrying"
        self._status = attrs.evolve(self._status, outages=self._status.outages + lost)
        self._set("retrying", problem.message)
        self._stop.wait(delay)

    def _set(self, state: SourceState, problem: str) -> None:
        self._status = attrs.evolve(self._status, state=state, problem=problem)


class _Pace:
    """Lets so many a second pass."""

    def __init__(self, fps: float) -> None:
        self._step = 1 / fps if fps > 0 else 0.0
        self._due = float("-inf")

    def wants(self, moment: float) -> bool:
        """Return whether the frame of that time is wanted; asked once a frame, in order."""
        # Half a percent early is on time: time stamps are rounded.
        if moment < self._due - self._step * 0.005:
            return False
        # Who is late begins anew, or else a pause would be made up for by a burst.
        late = moment > self._due + self._step
        self._due = (moment if late else self._due) + self._step
        return True
