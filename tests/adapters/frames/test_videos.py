"""Videos that are written and shown."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from facecv.adapters.frames.recorder import Mp4Recorder
from facecv.adapters.frames.window import Window
from facecv.core.errors import SinkError
from facecv.core.ports.video_sink import VideoSink
from facecv.plugins.contracts.video_sink import VideoSinkContract


class TestMp4(VideoSinkContract):
    @pytest.fixture
    def sink(self, tmp_path: Path) -> VideoSink:
        pytest.importorskip("av")
        return Mp4Recorder(tmp_path / "sub" / "out.mp4")

    def test_what_is_written_can_be_read(self, sink: VideoSink, tmp_path: Path) -> None:
        """By another reader; sides become even."""
        for number in range(5):
            sink.write(np.full((33, 47, 3), 40 * number, np.uint8), 7.0 + number / 10)
        sink.close()
        film = cv2.VideoCapture(str(tmp_path / "sub" / "out.mp4"))
        greys = []
        while (read := film.read())[0]:
            assert read[1].shape == (32, 46, 3)
            greys.append(float(read[1].mean()))
        film.release()
        assert greys == pytest.approx([0, 40, 80, 120, 160], abs=5)

    def test_a_picture_of_another_size_is_an_error(self, sink: VideoSink) -> None:
        sink.write(np.zeros((32, 48, 3), np.uint8), 0.0)
        with pytest.raises(SinkError, match="size"):
            sink.write(np.zeros((16, 24, 3), np.uint8), 0.1)
        sink.close()

    def test_a_place_that_cannot_be_written(self, tmp_path: Path) -> None:
        pytest.importorskip("av")
        (tmp_path / "file").write_text("in the way")
        recorder = Mp4Recorder(tmp_path / "file" / "out.mp4")
        with pytest.raises(SinkError, match=r"out\.mp4"):
            recorder.write(np.zeros((32, 48, 3), np.uint8), 0.0)


class _Screen:
    """Stands for OpenCV's windows: `key` is pressed next, `visible` says whether it is open."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.key, self.visible, self.shown, self.gone = -1, 1, 0, 0
        monkeypatch.setenv("DISPLAY", ":0")
        monkeypatch.setattr(cv2, "imshow", self._show)
        monkeypatch.setattr(cv2, "waitKey", lambda _: self.key)
        monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: self.visible)
        monkeypatch.setattr(cv2, "destroyWindow", self._destroy)

    def _show(self, *_: object) -> None:
        self.shown += 1

    def _destroy(self, _: str) -> None:
        self.gone += 1


class TestWindow(VideoSinkContract):
    @pytest.fixture(autouse=True)
    def screen(self, monkeypatch: pytest.MonkeyPatch) -> _Screen:
        return _Screen(monkeypatch)

    @pytest.fixture
    def sink(self) -> VideoSink:
        return Window("test")

    def test_a_key_is_enough(self, sink: VideoSink, screen: _Screen) -> None:
        picture = np.zeros((20, 30, 3), np.uint8)
        assert sink.write(picture, 0.0)
        screen.key = ord("q")
        assert not sink.write(picture, 0.1)
        sink.close()
        assert screen.gone == 1

    def test_closing_the_window_is_enough(self, sink: VideoSink, screen: _Screen) -> None:
        picture = np.zeros((20, 30, 3), np.uint8)
        sink.write(picture, 0.0)
        screen.visible = 0
        assert not sink.write(picture, 0.1)
        assert screen.shown == 1

    @pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
    def test_without_a_display_nothing_is_shown(
        self, sink: VideoSink, screen: _Screen, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("DISPLAY")
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        with pytest.raises(SinkError, match="no window"):
            sink.write(np.zeros((20, 30, 3), np.uint8), 0.0)
        assert screen.shown == 0
