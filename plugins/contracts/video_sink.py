"""Promises of `facecv.core.ports.video_sink`."""

import numpy as np
import pytest

from facecv.core.ports.video_sink import VideoSink


class VideoSinkContract:
    """Subclass this and override `sink`."""

    @pytest.fixture
    def sink(self) -> VideoSink:
        """Return the implementation under test."""
        raise NotImplementedError

    def test_pictures_are_taken_and_left_alone(self, sink: VideoSink) -> None:
        """Times need not rise by much, and sides need not be even."""
        picture = np.full((33, 47, 3), 90, np.uint8)
        before = picture.copy()
        for time in (5.0, 5.1, 5.1, 7.0):
            assert sink.write(picture, time)
        sink.close()
        assert np.array_equal(picture, before)

    def test_closing_twice_is_fine(self, sink: VideoSink) -> None:
        """Also before the first picture."""
        sink.close()
        sink.close()
