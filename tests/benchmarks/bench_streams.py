"""Streams on two cores: ``python -m tests.benchmarks.bench_streams``.

The clips of the shared folder are written anew as 1280x720 at 10 frames a second, so that decoding
them costs what a camera of that kind costs. Watched as files they tell what a frame costs; the
cameras of the first table follow from that processor time, which other programs disturb least.
Watched as cameras (``--cameras 8 12``), so many at once and each frame at its time, they tell what
is dropped, and the latency from the moment a frame is there until its events are in the store.
"""

import argparse
import itertools
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from facecv.adapters.frames.addresses import video_file
from facecv.adapters.frames.pyav import AvReader
from facecv.adapters.frames.recorder import Mp4Recorder
from facecv.adapters.frames.threaded import Grab, SourceOptions, ThreadedSource
from facecv.core.embedding import Embedding
from facecv.core.gallery import now
from facecv.core.services.analyse import Analyser, Want
from facecv.core.services.tracking import Tracker
from facecv.core.services.watch import Watcher
from facecv.core.stream import Frame
from facecv.entrypoints.api import Engine
from facecv.entrypoints.streams import Streams

FPS, SIZE, CORES = 10, (1280, 720), 2
SWITCHED = 0.1
"""Cosine below which two good views of one track are surely not of one person."""
GOOD = 0.3


@attrs.frozen
class Figures:
    """What watching the clips has cost and brought."""

    seconds: float
    processor: float
    faces: int
    looks: int
    latencies: tuple[float, ...]

    @property
    def cameras(self) -> float:
        """How many cameras two cores keep up with."""
        return CORES * self.seconds / self.processor

    @property
    def saved(self) -> str:
        """How many recognitions following faces saves: share, and a second of film."""
        fewer = self.faces - self.looks
        return f"{fewer / self.faces:.1%}, {fewer / self.seconds:.1f} a second"


def engines(shared: Path) -> Mapping[str, Engine]:
    """Return the engines that are compared, on one thread each: watchers share the cores."""
    common: dict[str, Any] = {"device": "cpu", "threads": 1, "gallery": "memory"}
    larger = {"detector": "det_500m", "embedder": "w600k_mbf"}
    return {
        "nano": Engine.open({"pack": "nano", **common}),
        "det_500m + w600k_mbf": Engine.open({"pack_dir": str(shared / "models")} | common | larger),
    }


def frames(path: Path, *, fps: float = 0.0) -> Iterator[Frame]:
    """Yield the frames of a film."""
    with video_file(str(path), fps=fps) as source:
        while True:
            frame = source.take(0.5)
            if frame is not None:
                yield frame
            elif source.status.state in {"ended", "closed"}:
                return


def enlarged(clip: Path, folder: Path, seconds: float) -> Path:
    """Write the beginning of a clip as 720p at 10 frames a second; return its path."""
    path = folder / clip.name
    recorder = Mp4Recorder(path)
    for frame in frames(clip, fps=FPS):
        if frame.time > seconds:
            break
        recorder.write(cv2.resize(frame.pixels, SIZE).astype(np.uint8), frame.time)
    recorder.close()
    return path


def watch(engine: Engine, films: list[Path]) -> Figures:
    """Watch all films one after another."""
    streams, seconds, faces, looks = Streams(engine.parts), 0.0, 0, 0
    latencies: list[float] = []
    started = time.process_time()
    for film in films:
        watcher = streams.watcher(film.stem, "", streams.log([]), began=now())
        for watched in watcher.watch(video_file(str(film))):
            seconds += watched is not None and 1 / FPS
        faces, looks = faces + watcher.tally.faces, looks + watcher.tally.looks
        latencies += watcher.tally.latencies
    return Figures(seconds, time.process_time() - started, faces, looks, tuple(latencies))


@attrs.frozen
class Screen:
    """Plays films for ever as a camera would: each frame at its time, whoever looks."""

    films: list[Path]

    def __call__(self) -> Generator[Grab, None, None]:
        """Yield frames, none of them early."""
        due = time.monotonic()
        for film in itertools.cycle(self.films):
            for grab in AvReader(str(film), live=True)():
                due = max(due + 1 / FPS, time.monotonic() - 1)
                time.sleep(max(due - time.monotonic(), 0))
                yield grab


def look_at(watcher: Watcher, source: ThreadedSource, until: threading.Event) -> None:
    """Watch a camera for a while."""
    frames = watcher.watch(source)
    for _ in frames:
        if until.is_set():
            frames.close()


def watch_live(engine: Engine, films: list[Path], count: int, seconds: float) -> tuple[str, ...]:
    """Watch so many cameras at once; return frames a second, dropped, p50 and p95."""
    streams, until, threads = Streams(engine.parts), threading.Event(), []
    pairs = []
    for number in range(count):
        # Each begins with another film, or they would all have their busy moments together.
        turned = films[number % len(films) :] + films[: number % len(films)]
        source = ThreadedSource(f"camera {number}", Screen(turned), SourceOptions(live=True))
        watcher = streams.watcher(source.name, "", streams.log([]))
        threads.append(threading.Thread(target=look_at, args=(watcher, source, until)))
        pairs.append((watcher, source))
        threads[-1].start()
    time.sleep(seconds)
    until.set()
    for thread in threads:
        thread.join()
    seen = sum(watcher.tally.frames for watcher, _ in pairs)
    dropped = sum(source.status.dropped for _, source in pairs)
    latencies = [each for watcher, _ in pairs for each in watcher.tally.latencies]
    cuts = statistics.quantiles(latencies, n=20)
    share = f"{dropped / (seen + dropped):.1%}"
    return (
        f"{seen / seconds:.0f}",
        share,
        *(f"{cuts[index] * 1000:.0f}" for index in (9, 18)),
    )


def switches(analyser: Analyser, film: Path) -> tuple[int, int]:
    """Return how many tracks a film has, and how often one changes to another person."""
    tracker, views = Tracker(), defaultdict[int, list[Embedding]](list)
    for number, frame in enumerate(frames(film)):
        if number % 2:
            tracker.advance(frame.time)
            continue
        found = analyser.detector.get().detect([frame.pixels], analyser.find.detector)[0]
        tracker.update(found, frame.time)
        fresh = [track for track in tracker.tracks if track.fresh]
        pairs = [(frame.pixels, track.detection) for track in fresh]
        for track, face in zip(fresh, analyser.describe(pairs, Want()), strict=True):
            if face.embedding and face.quality and face.quality.score >= GOOD:
                views[track.number].append(face.embedding)
    changed = sum(
        one.cosine(other) < SWITCHED
        for seen in views.values()
        for one, other in itertools.pairwise(seen)
    )
    return len(views), changed


def main() -> None:
    """Print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--seconds", type=float, default=20.0, help="of each clip at most")
    parser.add_argument("--cameras", type=int, nargs="*", default=[4, 8, 12, 16], metavar="N")
    given = parser.parse_args()
    console = Console()
    clips = sorted((given.shared / "data" / "video").glob("*.mp4"))
    table = Table("pack", "cameras", "p50 ms", "p95 ms", "faces", "recognitions", "saved")
    live = Table("pack", "cameras at once", "frames a second", "dropped", "p50 ms", "p95 ms")
    tracks = Table("clip", "tracks", "identity switches")
    with tempfile.TemporaryDirectory() as folder:
        films = [enlarged(clip, Path(folder), given.seconds) for clip in clips]
        made = engines(given.shared)
        for name, engine in made.items():
            watch(engine, films[:1])  # loads the models
            got = watch(engine, films)
            cuts = statistics.quantiles(got.latencies, n=20)
            milliseconds = (f"{cuts[index] * 1000:.0f}" for index in (9, 18))
            counts = (str(got.faces), str(got.looks), got.saved)
            table.add_row(name, f"{got.cameras:.1f}", *milliseconds, *counts)
            for count in given.cameras:
                live.add_row(name, str(count), *watch_live(engine, films, count, given.seconds))
        analyser = made["det_500m + w600k_mbf"].analyser
        for film in films:
            tracks.add_row(film.stem, *map(str, switches(analyser, film)))
    console.print(table, live, tracks)


if __name__ == "__main__":
    main()
