"""Streams on two cores: ``python -m tests.benchmarks.bench_streams``.

The clips of the shared folder are written anew as 1280x720 at 10 frames a second, so that decoding
them costs what a camera of that kind costs, and watched as files. How many such cameras two cores
keep up with follows from the processor time that a second of video takes, which other programs on
the machine disturb far less than the time on the clock. Latencies are on the clock, from the moment
a frame was taken to the moment all its events were in the store.
"""

import argparse
import itertools
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from facecv.adapters.frames.addresses import video_file
from facecv.adapters.frames.recorder import Mp4Recorder
from facecv.core.embedding import Embedding
from facecv.core.gallery import now
from facecv.core.services.analyse import Analyser, Want
from facecv.core.services.tracking import Tracker
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
    given = parser.parse_args()
    console = Console()
    clips = sorted((given.shared / "data" / "video").glob("*.mp4"))
    table = Table("pack", "cameras", "p50 ms", "p95 ms", "faces", "recognitions", "saved")
    tracks = Table("clip", "tracks", "identity switches")
    with tempfile.TemporaryDirectory() as folder:
        films = [enlarged(clip, Path(folder), given.seconds) for clip in clips]
        made = engines(given.shared)
        for name, engine in made.items():
            watch(engine, films[:1])  # loads the models
            got = watch(engine, films)
            cuts = statistics.quantiles(got.latencies, n=20)
            milliseconds = (f"{cuts[index] * 1000:.0f}" for index in (9, 18))
            saved = f"{1 - got.looks / got.faces:.1%}"
            counts = (str(got.faces), str(got.looks), saved)
            table.add_row(name, f"{got.cameras:.1f}", *milliseconds, *counts)
        analyser = made["det_500m + w600k_mbf"].analyser
        for film in films:
            tracks.add_row(film.stem, *map(str, switches(analyser, film)))
    console.print(table, tracks)


if __name__ == "__main__":
    main()
