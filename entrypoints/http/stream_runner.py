"""One stream, watched in a thread of its own for as long as it is wanted."""

import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import Literal, cast

import structlog

from facecv.core.arrays import Pixels
from facecv.core.backoff import Backoff
from facecv.core.errors import FaceCVError, InputError, SourceError
from facecv.core.gallery import now
from facecv.core.ports.event_sink import EventSink
from facecv.core.ports.frame_source import FrameSource, PushedSource
from facecv.core.services.watch import Tally, Watched, Watcher
from facecv.core.stream import SourceStatus
from facecv.entrypoints.http.stream_file import StreamRecord
from facecv.entrypoints.http.stream_shapes import StreamStateShape
from facecv.entrypoints.streams import Streams, draw_sights

Phase = Literal["new", "watching", "retrying", "ended", "stopped"]
_BACKOFF = Backoff(first=1.0, longest=30.0)
_RECENT_SECONDS = 5.0
_RECENT_FRAMES = 500
_RECENT_EVENTS = 100


class StreamRunner:
    """Watches a stream; what goes wrong is told in its state, and tried again."""

    def __init__(
        self,
        streams: Streams,
        record: StreamRecord,
        listener: EventSink,
        ended: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Make a runner that does not run yet.

        Args:
            streams: opens what streams are made of.
            record: what to watch.
            listener: gets the events beside the stream's own sinks; stays open.
            ended: called with the stream's id once a file is over; not if it was stopped before.
        """
        self._streams, self._record = streams, record
        self._listener, self._ended = listener, ended
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"stream {record.id}", daemon=True)
        self._phase: Phase = "new"
        self._problem = ""
        self._source: FrameSource | None = None
        self._tally = Tally()
        self._moments: deque[float] = deque(maxlen=_RECENT_FRAMES)
        self._newest: tuple[int, Watched] | None = None
        self._picture = (0, b"")
        self._drawing = threading.Lock()

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Let the thread end at the next frame, or within a fraction of a second."""
        self._stop.set()

    def join(self, seconds: float) -> bool:
        """Wait for the thread to end; return whether it has."""
        if self._thread.ident is not None:
            self._thread.join(max(seconds, 0.0))
        return not self._thread.is_alive()

    @property
    def is_wanted(self) -> bool:
        """Whether more is to come: nobody has asked it to stop, and it is no file that is over."""
        return not self._stop.is_set() and self._phase != "ended"

    @property
    def count(self) -> int:
        """How many frames were watched; grows with each new picture."""
        return self._newest[0] if self._newest else 0

    def state(self) -> StreamStateShape:
        """Return how it goes; may be asked from any thread."""
        status = self._source.status if self._source else SourceStatus()
        watched, tally = self._newest, self._tally
        recent = list(tally.latencies)[-_RECENT_EVENTS:]
        shown = {"new": "connecting", "watching": status.state}.get(self._phase, self._phase)
        return StreamStateShape(
            state="stopped" if shown == "closed" else cast("Literal['running']", shown),
            problem=self._problem or status.problem,
            outages=status.outages,
            frames=status.frames,
            dropped=status.dropped,
            fps=round(self._rate(), 2),
            latency_ms=round(statistics.median(recent) * 1000, 1) if recent else None,
            faces=len(watched[1].sights) if watched else 0,
            tracks=tally.tracks,
            recognitions=tally.looks,
            events=tally.events,
        )

    def push(self, pixels: Pixels) -> None:
        """Hand in a frame.

        Args:
            pixels: uint8 [H, W, 3] BGR; must not be changed afterwards.

        Raises:
            InputError: frames of this stream come from elsewhere.
            SourceError: it is not open.
        """
        source = self._source
        if source is None:
            raise SourceError(f"the stream {self._record.name!r} is not open")
        if not hasattr(source, "push"):
            raise InputError(
                f"frames of the stream {self._record.name!r} come from elsewhere",
                hint="frames are pushed to streams of push:NAME",
            )
        cast("PushedSource", source).push(pixels)

    def picture(self) -> tuple[int, bytes]:
        """Return the newest frame with boxes and names, as a JPEG file, and its number.

        It is drawn once, however many look at it; before the first frame there are no bytes.
        """
        with self._drawing:
            newest = self._newest
            if newest is not None and newest[0] != self._picture[0]:
                number, watched = newest
                parts = self._streams.parts
                drawn = draw_sights(parts, watched.frame.pixels, watched.sights)
                self._picture = (number, parts.annotator.encode(drawn, ".jpg"))
            return self._picture

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            before = self.count
            problem = self._watch_once()
            if problem is None:
                break
            failures = 1 if self.count > before else failures + 1
            self._phase, self._problem = "retrying", problem
            self._stop.wait(_BACKOFF.delay(failures))
        if self._stop.is_set():
            self._phase = "stopped"
            return
        self._phase = "ended"
        self._ended(self._record.id)

    def _watch_once(self) -> str | None:
        """Watch until the source ends or it is enough; return what went wrong, if anything."""
        log = structlog.get_logger().bind(stream=self._record.name)
        try:
            with ExitStack() as stack:
                texts = self._record.sinks
                self._watch([stack.enter_context(closing(self._streams.sink(t))) for t in texts])
        except FaceCVError as error:
            log.warning("stream broken off", problem=error.message)
            return error.message
        except Exception:  # a stream must outlive a bug
            log.exception("a bug in a stream")
            return "something went wrong here; the log tells what"
        return None

    def _watch(self, sinks: Sequence[EventSink]) -> None:
        record = self._record
        source = self._streams.source(record.address, record.fps)
        log = self._streams.log([*sinks, self._listener])
        began = None if source.live else now()
        watcher: Watcher = self._streams.watcher(record.name, record.collection, log, began=began)
        self._source, self._tally = source, watcher.tally
        self._phase, self._problem = "watching", ""
        with closing(watcher.watch(source)) as frames:
            for watched in frames:
                if self._stop.is_set():
                    return
                if watched is not None:
                    self._moments.append(time.monotonic())
                    self._newest = (self.count + 1, watched)

    def _rate(self) -> float:
        """Return frames a second of late."""
        moment = time.monotonic()
        recent = [each for each in list(self._moments) if moment - each < _RECENT_SECONDS]
        return len(recent) / max(moment - recent[0], 0.2) if len(recent) > 1 else 0.0
