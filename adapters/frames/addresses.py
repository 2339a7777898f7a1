"""Sources by address: video files, RTSP cameras, HTTP cameras."""

from pathlib import Path

from facecv.adapters.frames.pyav import AvReader, import_av
from facecv.adapters.frames.threaded import CAMERA_BACKOFF, SourceOptions, ThreadedSource
from facecv.core.backoff import Backoff
from facecv.core.errors import SourceError
from facecv.core.urls import redacted


def video_file(address: str, *, fps: float = 0.0) -> ThreadedSource:
    """Return a source of every frame of a video: a file, or a URL of one.

    Raises:
        SourceError: there is no such file.
        RuntimeMissingError: PyAV is not installed.
    """
    import_av()
    if "://" not in address and not Path(address).is_file():
        raise SourceError(f"there is no video {address}")
    reader = AvReader(address, live=False)
    return ThreadedSource(redacted(address), reader, SourceOptions(live=False, fps=fps))


def rtsp_camera(
    address: str, *, fps: float = 0.0, timeout: float = 10.0, backoff: Backoff | None = None
) -> ThreadedSource:
    """Return a source of the newest frames of an RTSP camera, over TCP.

    Args:
        address: ``rtsp://`` or ``rtsps://``, user and password included.
        fps: the most frames a second; 0: all.
        timeout: seconds without a picture after which the camera counts as dead.
        backoff: how long to wait before it is tried again.

    Raises:
        RuntimeMissingError: PyAV is not installed.
    """
    # UDP loses packets on every busy network, and pictures with them.
    return _camera(address, {"rtsp_transport": "tcp"}, fps, timeout, backoff)


def http_camera(
    address: str, *, fps: float = 0.0, timeout: float = 10.0, backoff: Backoff | None = None
) -> ThreadedSource:
    """Return a source of the newest frames of an HTTP camera (MJPEG, or whatever FFmpeg knows).

    Takes and raises what `rtsp_camera` does.
    """
    return _camera(address, {}, fps, timeout, backoff)


def _camera(
    address: str, options: dict[str, str], fps: float, timeout: float, backoff: Backoff | None
) -> ThreadedSource:
    import_av()
    # FFmpeg would look at some thirty pictures for their rate before it gives the first: three
    # seconds of a camera of ten a second, at each return. The rate of a live source is not asked.
    quick = {"fflags": "nobuffer", "flags": "low_delay", "fpsprobesize": "0"}
    options = {**quick, **options}
    reader = AvReader(address, live=True, timeout=timeout, options=options)
    settings = SourceOptions(True, fps, backoff or CAMERA_BACKOFF, patience=timeout + 1)
    return ThreadedSource(redacted(address), reader, settings)
