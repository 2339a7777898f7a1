"""Every kind of source keeps the promises of the port, and some of its own."""

import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from facecv.adapters.frames.addresses import http_camera, rtsp_camera, video_file
from facecv.adapters.frames.folder import picture_folder
from facecv.adapters.frames.pushed import PushSource
from facecv.adapters.frames.webcam import webcam
from facecv.core.backoff import Backoff
from facecv.core.errors import InputError, SourceError
from facecv.core.ports.frame_source import FrameSource
from facecv.plugins.contracts.frame_source import FrameSourceContract, frames_of, state_of
from tests.adapters.frames.cameras import FFMPEG, MjpegCamera, RtspCamera, free_port
from tests.adapters.frames.conftest import FilmFactory

SOON = Backoff(first=0.05, longest=0.1)
needs_ffmpeg = pytest.mark.skipif(FFMPEG is None, reason="ffmpeg is not installed")


class TestVideoFile(FrameSourceContract):
    length = 12

    @pytest.fixture
    def source(self, film: FilmFactory) -> FrameSource:
        return video_file(str(film(12)))

    def test_frames_have_the_pictures_and_times_of_the_file(self, film: FilmFactory) -> None:
        with video_file(str(film(12))) as source:
            frames = list(frames_of(source))
        greys = [float(frame.pixels.mean()) for frame in frames]
        assert greys == pytest.approx([20 + 10 * number for number in range(12)], abs=4)
        assert [frame.time for frame in frames] == pytest.approx([n / 10 for n in range(12)])

    def test_fewer_frames_a_second_on_demand(self, film: FilmFactory) -> None:
        with video_file(str(film(20)), fps=5) as source:
            indices = [frame.index for frame in frames_of(source)]
        assert indices == list(range(0, 20, 2))

    @needs_ffmpeg
    @pytest.mark.parametrize("angle", [90, 270])
    def test_films_of_turned_phones_are_upright(
        self, film: FilmFactory, tmp_path: Path, angle: int
    ) -> None:
        """The picture that FFmpeg itself shows is the one that we show."""
        turned, shown = tmp_path / "turned.mp4", tmp_path / "shown.png"
        half = film(3, (64, 48))
        plain = tmp_path / "plain.mp4"
        mark = "drawbox=x=0:y=0:w=16:h=12:color=red:t=fill"
        run = [str(FFMPEG), "-v", "error", "-y", "-i"]
        subprocess.run([*run, half, "-vf", mark, plain], check=True)
        side = ["-metadata:s:v", f"rotate={angle}"]
        subprocess.run([*run, plain, "-c", "copy", *side, turned], check=True)
        subprocess.run([*run, turned, "-frames:v", "1", shown], check=True)
        expected = cv2.imread(str(shown))
        with video_file(str(turned)) as source:
            frame = next(frames_of(source, 1))
        assert expected is not None
        assert frame.pixels.shape == expected.shape
        assert np.abs(frame.pixels.astype(int) - expected.astype(int)).mean() < 6

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match=r"nobody\.mp4"):
            video_file(str(tmp_path / "nobody.mp4"))

    def test_a_file_that_is_no_video(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.mp4"
        path.write_bytes(b"no video at all" * 100)
        with video_file(str(path)) as source, pytest.raises(SourceError, match=r"notes\.mp4"):
            list(frames_of(source))

    def test_a_slow_reader_gets_every_frame(self, film: FilmFactory) -> None:
        """The decoder waits for whoever takes the frames."""
        with video_file(str(film(12))) as source:
            indices = []
            for frame in frames_of(source):
                indices.append(frame.index)
                time.sleep(0.01)
        assert indices == list(range(12))


class TestPictureFolder(FrameSourceContract):
    length = 4

    @pytest.fixture
    def source(self, tmp_path: Path) -> FrameSource:
        for number in range(4):
            picture = np.full((40, 60, 3), 50 * number, np.uint8)
            cv2.imwrite(str(tmp_path / f"{number}.png"), picture)
        return picture_folder(str(tmp_path), rate=2)

    def test_pictures_come_by_name_at_the_given_rate(self, source: FrameSource) -> None:
        with source:
            frames = list(frames_of(source))
        assert [int(frame.pixels[0, 0, 0]) for frame in frames] == [0, 50, 100, 150]
        assert [frame.time for frame in frames] == [0.0, 0.5, 1.0, 1.5]

    def test_what_cannot_be_read_is_left_out(self, source: FrameSource, tmp_path: Path) -> None:
        (tmp_path / "00.png").write_bytes(b"broken")
        (tmp_path / "notes.txt").write_text("no picture")
        with source:
            assert len(list(frames_of(source))) == 4

    def test_a_folder_without_pictures(self, tmp_path: Path) -> None:
        with picture_folder(str(tmp_path)) as source, pytest.raises(SourceError, match="no pict"):
            list(frames_of(source))

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="no folder"):
            picture_folder(str(tmp_path / "gone"))


class TestHttpCamera(FrameSourceContract):
    @pytest.fixture
    def camera(self) -> Iterator[MjpegCamera]:
        pytest.importorskip("av")
        with MjpegCamera() as camera:
            yield camera

    @pytest.fixture
    def source(self, camera: MjpegCamera) -> FrameSource:
        return http_camera(camera.url, timeout=5, backoff=SOON)

    def test_credentials_reach_the_camera_and_nobody_else(self, camera: MjpegCamera) -> None:
        camera.asks = True
        url = camera.url.replace("//", "//admin:hunter2@") + "?token=hunter3"
        with http_camera(url, timeout=5, backoff=SOON) as source:
            next(frames_of(source, 1))
            assert camera.seen[-1].startswith("Basic ")
            for text in (
                source.name,
                repr(source),
                repr(source.status),
                str(threading.enumerate()),
            ):
                assert "hunter" not in text

    def test_at_most_so_many_frames_a_second(self, camera: MjpegCamera) -> None:
        """The others are not dropped: nobody wanted them."""
        with http_camera(camera.url, fps=5, timeout=5) as source:
            times = [frame.time for frame in frames_of(source, 4)]
        assert times[-1] - times[0] > 0.5


@pytest.mark.parametrize("secret", ["hunter2", "hun@ter2", "hun/ter2", "hun?ter2"])
def test_a_camera_that_is_not_there_keeps_its_secrets(
    secret: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither state nor log nor name tell the password, whatever characters are in it."""
    pytest.importorskip("av")
    url = f"rtsp://admin:{secret}@127.0.0.1:{free_port()}/live?key={secret}"
    with rtsp_camera(url, timeout=2, backoff=SOON) as source:
        deadline = time.monotonic() + 20
        while source.status.state != "retrying" and time.monotonic() < deadline:
            source.take(0.05)
        status = source.status
    assert status.problem
    written = capfd.readouterr()
    for text in (source.name, repr(status), written.out, written.err):
        assert "ter2" not in text
        assert "admin" not in text


@needs_ffmpeg
class TestRtspCamera(FrameSourceContract):
    @pytest.fixture
    def camera(self, tmp_path: Path) -> Iterator[RtspCamera]:
        pytest.importorskip("av")
        with RtspCamera(tmp_path) as camera:
            yield camera

    @pytest.fixture
    def source(self, camera: RtspCamera) -> FrameSource:
        return rtsp_camera(camera.url, timeout=5, backoff=SOON)

    def test_the_first_picture_comes_early(self, tmp_path: Path) -> None:
        """FFmpeg need not see dozens to know the rate: at ten a second that would take seconds."""
        with RtspCamera(tmp_path, fps=10) as camera, rtsp_camera(camera.url, timeout=5) as source:
            deadline = time.monotonic() + 30
            while source.take(0.02) is None:
                assert time.monotonic() < deadline
            assert camera.sent < 18


class TestWebcam(FrameSourceContract):
    """A long film stands for the device: OpenCV reads both alike."""

    @pytest.fixture
    def source(self, long_film: Path) -> FrameSource:
        return webcam(str(long_film))

    @pytest.mark.parametrize(
        ("device", "problem"),
        [("97", "the camera 97 cannot be opened"), ("/dev/video97", "is no camera /dev/video97")],
    )
    def test_a_camera_that_is_not_there_is_tried_again(
        self, device: str, problem: str, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """And OpenCV keeps its own lines about it to itself, now only."""
        level = cv2.utils.logging.getLogLevel()
        with webcam(device, backoff=SOON) as source:
            deadline = time.monotonic() + 20
            while source.status.outages == 0 and time.monotonic() < deadline:
                source.take(0.05)
            assert source.status.state == "retrying"
            assert problem in source.status.problem
        assert cv2.utils.logging.getLogLevel() == level > 0
        assert "VIDEOIO" not in capfd.readouterr().err


class TestPush(FrameSourceContract):
    @pytest.fixture
    def source(self) -> Iterator[FrameSource]:
        source, stop = PushSource("door"), threading.Event()

        def push() -> None:
            picture = np.zeros((20, 30, 3), np.uint8)
            while not stop.wait(0.01) and source.status.state != "closed":
                try:
                    source.push(picture)
                except SourceError:
                    return

        thread = threading.Thread(target=push)
        thread.start()
        time.sleep(0)
        yield source
        stop.set()
        thread.join()

    def test_states_follow_one_another(self, source: FrameSource) -> None:
        """Nobody pushes before it is open."""
        fresh = PushSource()
        assert state_of(fresh) == "connecting"
        with fresh:
            fresh.push(np.zeros((20, 30, 3), np.uint8))
            assert fresh.take(0) is not None
            assert state_of(fresh) == "running"
        assert state_of(fresh) == "closed"

    def test_times_may_be_given(self) -> None:
        with PushSource() as source:
            source.push(np.zeros((20, 30, 3), np.uint8), 12.5)
            frame = source.take(0)
        assert frame is not None
        assert frame.time == 12.5

    def test_what_is_no_picture_is_refused(self) -> None:
        with PushSource() as source, pytest.raises(InputError, match="uint8"):
            source.push(np.zeros((20, 30, 3)))  # type: ignore[arg-type]

    def test_a_closed_source_is_an_error(self) -> None:
        with PushSource("door") as source:
            pass
        with pytest.raises(SourceError, match="door"):
            source.push(np.zeros((20, 30, 3), np.uint8))
