"""A camera that dies and comes back, as a watcher sees it."""

import gc
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facecv.adapters.frames.addresses import http_camera, rtsp_camera
from facecv.adapters.frames.threaded import ThreadedSource
from facecv.adapters.galleries.memory import MemoryGallery
from facecv.core.backoff import Backoff
from facecv.core.event import Event
from facecv.core.services.announce import Announcer
from facecv.core.services.recognise import Recogniser
from facecv.core.services.watch import Watcher
from tests.adapters.frames.cameras import FFMPEG, Camera, MjpegCamera, RtspCamera
from tests.core.services import world

pytest.importorskip("av")
PATIENCE = 60.0
SOON = Backoff(first=0.02, longest=0.05)


class Watch:
    """Watches a source in a thread; `events` says what happened, `frames` counts."""

    def __init__(self, source: ThreadedSource) -> None:
        self.events: list[Event] = []
        self.frames = 0
        analyser = world.analyser()
        recogniser = Recogniser(analyser, MemoryGallery(), "nobody")
        self._watcher = Watcher(
            analyser, recogniser.recognise, Announcer(self.events.append, "yard")
        )
        self._source = source
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def count(self, kind: str) -> int:
        return sum(event.kind == kind for event in self.events)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        frames = self._watcher.watch(self._source)
        for watched in frames:
            self.frames += watched is not None
            if self._stop.is_set():
                frames.close()
                return


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def opened(camera: Camera, backoff: Backoff | None = None) -> ThreadedSource:
    """Return the source that reads a camera."""
    assert isinstance(camera, MjpegCamera | RtspCamera)
    make = http_camera if isinstance(camera, MjpegCamera) else rtsp_camera
    return make(camera.url, timeout=2.0, backoff=backoff)


@pytest.fixture(params=["mjpeg", "rtsp"])
def camera(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Camera]:
    """Return a camera that is on."""
    if request.param == "rtsp" and FFMPEG is None:
        pytest.skip("ffmpeg is not installed")
    made = MjpegCamera((64, 48), fps=100) if request.param == "mjpeg" else RtspCamera(tmp_path)
    with made:
        yield made


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="files are counted in /proc")
def test_five_outages_leave_nothing_behind(camera: Camera) -> None:
    """Down and up once each; no thread, no file, no memory is lost."""
    watch = Watch(opened(camera, SOON))
    wait(lambda: watch.frames > 5)
    tracemalloc.start()
    marks = []
    for outage in range(1, 6):
        camera.off()
        wait(lambda number=outage: watch.count("source.down") == number)  # type: ignore[misc]
        time.sleep(0.4)  # several tries fail meanwhile, and nothing more is told
        camera.on()
        wait(lambda number=outage: watch.count("source.up") == number + 1)  # type: ignore[misc]
        seen = watch.frames
        wait(lambda number=seen: watch.frames > number + 5)  # type: ignore[misc]
        gc.collect()
        marks.append((threading.active_count(), open_files(), tracemalloc.get_traced_memory()[0]))
    tracemalloc.stop()
    watch.close()
    assert [event.kind for event in watch.events] == ["source.up", "source.down"] * 6
    threads, files, memory = zip(*marks, strict=True)
    assert threads[-1] <= threads[0]
    assert files[-1] <= files[0]
    assert memory[-1] < memory[1] + 500_000


def test_events_are_back_soon_after_the_camera(camera: Camera) -> None:
    """Within five seconds, with the delays of the default configuration."""
    with opened(camera) as source:
        wait(lambda: source.take(0.1) is not None)
        camera.off()
        wait(lambda: source.status.outages == 1)
        camera.on()
        back = time.time()
        frame = None
        while frame is None:
            frame = source.take(0.1)
            assert time.time() < back + PATIENCE
    assert frame.time - back < 5.0
