"""``facecv stream``: who comes and goes in front of a camera?"""

import signal
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import rich_click as click

from facecv.entrypoints.cli import options, output, tables
from facecv.entrypoints.cli.errors import EPILOG
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation

if TYPE_CHECKING:
    from rich.progress import Progress

    from facecv.core.ports.frame_source import FrameSource
    from facecv.core.ports.video_sink import VideoSink
    from facecv.core.services.watch import Watched, Watcher
    from facecv.entrypoints.bootstrap import Parts
    from facecv.entrypoints.streams import Streams

_STDOUT = "jsonl=-"
_REFRESH = 0.25
_RECENT = 100

watch_options = options.stacked(
    click.option(
        "--fps",
        type=click.FloatRange(min=0, min_open=True),
        metavar="N",
        panel="Watching",
        help="Look at so many frames a second at most.",
    ),
    options.setting(
        "--detect-every",
        key="watch.detect_every",
        panel="Watching",
        type=click.IntRange(min=1),
        metavar="N",
        help="Look for faces in every N-th frame; they are followed in between.",
    ),
    options.setting(
        "--cooldown",
        key="watch.cooldown",
        panel="Watching",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="Do not announce the same person again for so long.",
    ),
    click.option(
        "--seconds",
        type=click.FloatRange(min=0, min_open=True),
        metavar="N",
        panel="Watching",
        help="Stop after so long.",
    ),
    click.option(
        "--name", metavar="NAME", panel="Watching", help="Of the stream, instead of its address."
    ),
    click.option(
        "--began",
        type=click.DateTime(),
        panel="Watching",
        help="When a file was recorded, local time; otherwise its first frame counts as now.",
    ),
)

events_option = click.option(
    "--events",
    "sinks",
    multiple=True,
    metavar="KIND=ADDRESS",
    panel="Output",
    help="Where events go: jsonl=PATH (- for the standard output), webhook=URL, mqtt=URL; "
    "may be repeated.",
)


@click.command(epilog=EPILOG)
@click.argument(
    "source",
    metavar="SOURCE",
    panel="What",
    help="A video file, a folder of pictures, rtsp:// or http:// of a camera, the number of a "
    "webcam, or PROVIDER:ADDRESS.",
)
@events_option
@click.option("--show", is_flag=True, panel="Output", help="Show it in a window; q ends.")
@click.option(
    "--record",
    type=options.FILE,
    metavar="OUT.mp4",
    panel="Output",
    help="Write a video with boxes and names.",
)
@watch_options
@options.setting(
    "--crops/--no-crops", key="watch.crops", panel="Output", default=None, help="Add faces to them."
)
@options.gallery_options
@options.detection_options
@options.model_options
@options.general_options
@pass_invocation
def stream(
    invocation: Invocation,
    *,
    source: str,
    sinks: tuple[str, ...],
    show: bool,
    record: Path | None,
    fps: float | None,
    seconds: float | None,
    name: str | None,
    began: datetime | None,
) -> None:
    """Follow the faces in a video or camera, and say who comes and goes.

    Events are kept in the gallery's file (facecv events, facecv attendance) and go where --events
    says. A camera that is lost is tried again until the command is interrupted.
    """
    from facecv.core.gallery import now
    from facecv.entrypoints.streams import Streams

    parts = invocation.engine().parts
    streams = Streams(parts)
    opened = streams.source(source, fps)
    with ExitStack() as stack:
        places = [stack.enter_context(closing(streams.sink(text))) for text in sinks]
        if _STDOUT not in sinks:
            places.append(Printer())
        videos = [stack.enter_context(closing(video)) for video in _videos(streams, show, record)]
        start = None if opened.live else (began.astimezone() if began else now())
        log = streams.log(places)
        watcher = streams.watcher(name or opened.name, "", log, began=start)
        _run(Screening(parts, opened, watcher, videos, seconds))


class Printer:
    """An event sink for people: one line an event on the standard output."""

    def emit(self, event: Mapping[str, Any], /) -> None:
        """Print an event."""
        moment = datetime.fromisoformat(event["time"]).astimezone().strftime("%H:%M:%S")
        click.echo(f"{moment}  {event['kind']:<17}  {self._about(event)}".rstrip())

    def close(self) -> None:
        """Do nothing: the standard output stays open."""

    def _about(self, event: Mapping[str, Any]) -> str:
        track = f"face {event['track'].rpartition('-')[2]}" if event["track"] else ""
        who = event["person"]["name"] if event["person"] else ""
        similarity = "" if event["similarity"] is None else f"{event['similarity']:.2f}"
        return "  ".join(filter(None, [track, who, similarity, event["detail"] or ""]))


@attrs.define(eq=False)
class Screening:
    """A source being watched.

    Attributes:
        parts: of the engine.
        source: what is watched.
        watcher: who watches.
        videos: where pictures with boxes and names go.
        seconds: after which it is enough; None: the source decides.
    """

    parts: "Parts"
    source: "FrameSource"
    watcher: "Watcher"
    videos: "Sequence[VideoSink]"
    seconds: float | None
    _started: float = attrs.field(factory=time.monotonic, init=False)

    def goes_on(self, watched: "Watched | None") -> bool:
        """Hand a frame to the videos, if there is one; return whether more are wanted."""
        from facecv.entrypoints.streams import draw_sights

        if self.videos and watched:
            drawn = draw_sights(self.parts, watched.frame.pixels, watched.sights)
            wanted = [video.write(drawn, watched.frame.time) for video in self.videos]
            if not all(wanted):
                return False
        return self.seconds is None or self.passed < self.seconds

    @property
    def passed(self) -> float:
        """Seconds since the screening began."""
        return time.monotonic() - self._started

    def status(self, faces: int) -> str:
        """Return how it goes, on one line."""
        tally, status = self.watcher.tally, self.source.status
        recent = list(tally.latencies)[-_RECENT:]
        delay = f"{statistics.median(recent) * 1000:.0f} ms" if recent else "-"
        rate = tally.frames / max(self.passed, 1e-3)
        parts = [
            *(() if status.state == "running" else (f"{status.state} {status.problem}".strip(),)),
            f"{rate:.1f} fps",
            f"latency {delay}",
            tables.plural(faces, "face"),
            tables.plural(tally.tracks, "track"),
            f"{tally.looks} recognitions",
            f"{status.dropped} dropped",
        ]
        return " · ".join(parts)


def _videos(streams: "Streams", show: bool, record: Path | None) -> "Iterator[VideoSink]":
    if show:
        yield streams.video("window", "FaceCV")
    if record:
        yield streams.video("mp4", str(record))


def _run(screening: Screening) -> None:
    """Watch until the source ends, somebody has seen enough, or the command is interrupted."""
    from rich.progress import SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False))
    faces = 0
    with _stopped_by_sigterm(), output.progress(*columns) as bars:
        line = _StatusLine(bars)
        with closing(screening.watcher.watch(screening.source)) as frames:
            for watched in frames:
                faces = len(watched.sights) if watched else 0
                line.show(screening.status(faces))
                if not screening.goes_on(watched):
                    break
    output.remark(screening.status(faces))


class _StatusLine:
    """A line on the standard error that is rewritten now and then."""

    def __init__(self, bars: "Progress") -> None:
        self._bars = bars
        self._task = bars.add_task("opening", total=None)
        self._due = 0.0

    def show(self, text: str) -> None:
        """Show a line, unless another one was shown just now."""
        if time.monotonic() >= self._due:
            self._bars.update(self._task, description=text)
            self._due = time.monotonic() + _REFRESH


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Let a service manager end the command as Ctrl-C does: with its last events."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
