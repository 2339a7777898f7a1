"""Promises of `facecv.core.ports.frame_source`."""

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from facecv.core.ports.frame_source import FrameSource
from facecv.core.stream import Frame

PATIENCE = 30.0
"""Seconds after which a source that gives nothing fails a test."""


def frames_of(source: FrameSource, most: int = 1000) -> Iterator[Frame]:
    """Yield the frames of an open source, `most` at most, until it ends.

    Fails the test if a source gives nothing for a long time.
    """
    deadline = time.monotonic() + PATIENCE
    count = 0
    while count < most:
        frame = source.take(0.2)
        if frame is not None:
            count += 1
            deadline = time.monotonic() + PATIENCE
            yield frame
        elif source.status.state in {"ended", "closed"}:
            return
        assert time.monotonic() < deadline, source.status


def state_of(source: FrameSource) -> str:
    """Return what a source says it is doing."""
    return source.status.state


class FrameSourceContract:
    """Subclass this and override `source`; override `length` for sources that end."""

    length: int | None = None
    """How many frames the source has; None: it is live."""

    @pytest.fixture
    def source(self) -> FrameSource:
        """Return a source that is not open yet and gives at least three frames."""
        raise NotImplementedError

    def test_frames_are_pictures_in_order(self, source: FrameSource) -> None:
        """BGR pictures of one size; index and time rise."""
        with source:
            frames = list(frames_of(source, 3))
        assert len(frames) == 3
        assert len({frame.pixels.shape for frame in frames}) == 1
        for frame in frames:
            assert frame.pixels.dtype == np.uint8
            assert frame.pixels.shape[2:] == (3,)
        indices, times = [f.index for f in frames], [f.time for f in frames]
        assert indices == sorted(set(indices))
        assert times == sorted(times)

    def test_a_file_gives_every_frame_and_ends(self, source: FrameSource) -> None:
        """The state says so when the last frame was taken, and there are no more."""
        if self.length is None:
            pytest.skip("a live source does not end")
        with source:
            frames = list(frames_of(source))
            assert source.status.state == "ended"
            assert source.take(0.05) is None
        assert [frame.index for frame in frames] == list(range(self.length))
        assert frames[0].time == 0.0
        assert source.status.dropped == 0
        assert source.status.frames == self.length

    def test_a_live_source_gives_the_newest_frame(self, source: FrameSource) -> None:
        """Who is slow gets recent frames; what was missed counts as dropped."""
        if self.length is not None:
            pytest.skip("a file has no newest frame")
        with source:
            first = next(frames_of(source, 1))
            deadline = time.monotonic() + PATIENCE
            while source.status.dropped < 3 and time.monotonic() < deadline:
                time.sleep(0.02)
            asked = time.time()
            frame = next(frames_of(source, 1))
        assert frame.index >= first.index + 3
        assert asked - 2.0 < frame.time

    def test_live_says_what_it_is(self, source: FrameSource) -> None:
        """Sources that end are not live."""
        assert source.live is (self.length is None)

    def test_states_follow_one_another(self, source: FrameSource) -> None:
        """Running while frames come, closed in the end; no outage where all is well."""
        assert state_of(source) == "connecting"
        with source:
            next(frames_of(source, 1))
            assert state_of(source) == "running"
            assert source.status.problem == ""
        assert state_of(source) == "closed"
        assert source.status.outages == 0

    def test_closing_ends_everything(self, source: FrameSource) -> None:
        """Also twice, also while somebody waits; no thread stays behind."""
        before = threading.active_count()
        with source:
            next(frames_of(source, 1))
        source.__exit__(None, None, None)
        assert source.take(5.0) is None
        deadline = time.monotonic() + PATIENCE / 3  # whoever served it needs time to notice
        while threading.active_count() > before and time.monotonic() < deadline:
            time.sleep(0.02)
        assert threading.active_count() <= before

    def test_waiting_has_an_end(self, source: FrameSource) -> None:
        """A source that is closed meanwhile lets go of whoever waits."""
        with source:
            list(frames_of(source, 3))
            thread = threading.Thread(target=lambda: [source.take(PATIENCE) for _ in range(50)])
        thread.start()
        thread.join(PATIENCE / 2)
        assert not thread.is_alive()
