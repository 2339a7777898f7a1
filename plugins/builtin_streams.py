"""Our own adapters for streams: where frames come from, where events and videos go.

Beside `facecv.plugins.builtin`, which registers them, the only module that knows adapters. What a
source or sink is of (a path, a URL, a number) comes as the address of the request; the settings
hold what is the same for all of a kind.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from facecv.core.backoff import Backoff
from facecv.plugins import BuildRequest, Provider, hookimpl

if TYPE_CHECKING:
    from facecv.adapters.events.courier import CourierOptions
    from facecv.core.ports.event_sink import EventSink
    from facecv.core.ports.event_store import EventStore
    from facecv.core.ports.frame_source import FrameSource
    from facecv.core.ports.video_sink import VideoSink

_positive = attrs.validators.gt(0.0)
_not_negative = attrs.validators.ge(0.0)


@attrs.frozen
class VideoFileSettings:
    """Section ``[frame_sources.file]``.

    Attributes:
        fps: the most frames a second to look at; 0: all.
    """

    fps: float = attrs.field(default=0.0, validator=_not_negative)


@attrs.frozen
class FolderSettings:
    """Section ``[frame_sources.folder]``.

    Attributes:
        rate: how many pictures make a second.
        fps: the most frames a second to look at; 0: all.
    """

    rate: float = attrs.field(default=1.0, validator=_positive)
    fps: float = attrs.field(default=0.0, validator=_not_negative)


@attrs.frozen
class CameraSettings:
    """Sections ``[frame_sources.rtsp]``, ``[frame_sources.http]`` and ``[frame_sources.webcam]``.

    Attributes:
        fps: the most frames a second to look at; 0: all.
        timeout: seconds without a picture after which a camera counts as dead (not for webcams).
        first_delay: seconds until a dead camera is tried again; doubles from try to try.
        longest_delay: seconds that no delay exceeds.
    """

    fps: float = attrs.field(default=0.0, validator=_not_negative)
    timeout: float = attrs.field(default=10.0, validator=_positive)
    first_delay: float = attrs.field(default=0.5, validator=_positive)
    longest_delay: float = attrs.field(default=4.0, validator=_positive)

    @property
    def backoff(self) -> Backoff:
        """How long to wait before a dead camera is tried again."""
        return Backoff(self.first_delay, longest=self.longest_delay)


def _default_outbox() -> Path:
    import platformdirs

    return platformdirs.user_data_path("facecv") / "outbox.db"


@attrs.frozen
class DeliverySettings:
    """Section ``[event_sinks.mqtt]``; ``[event_sinks.webhook]`` has a secret too.

    Attributes:
        outbox: the SQLite file in which events wait; by default in the user's data folder.
        timeout: seconds after which a try has failed.
        tries: after which an event goes to the dead letters.
        first_delay: seconds until an event is tried again; doubles from try to try.
        longest_delay: seconds that no delay exceeds.
        grace: seconds that closing waits for what is left; the rest goes with the next start.
    """

    outbox: Path = attrs.field(factory=_default_outbox)
    timeout: float = attrs.field(default=10.0, validator=_positive)
    tries: int = attrs.field(default=20, validator=attrs.validators.ge(1))
    first_delay: float = attrs.field(default=1.0, validator=_positive)
    longest_delay: float = attrs.field(default=300.0, validator=_positive)
    grace: float = attrs.field(default=5.0, validator=_not_negative)

    def options(self) -> "CourierOptions":
        """Return how hard to try."""
        from facecv.adapters.events.courier import CourierOptions

        backoff = Backoff(self.first_delay, longest=self.longest_delay)
        return CourierOptions(backoff, self.tries, self.grace)


@attrs.frozen
class WebhookSettings(DeliverySettings):
    """Section ``[event_sinks.webhook]``.

    Attributes:
        secret: shared with the receiver, signs what is sent; empty: nothing is signed.
    """

    secret: str = attrs.field(default="", repr=False)


def _file(request: BuildRequest) -> "FrameSource":
    from facecv.adapters.frames.addresses import video_file

    return video_file(request.address, fps=request.settings_as(VideoFileSettings).fps)


def _folder(request: BuildRequest) -> "FrameSource":
    from facecv.adapters.frames.folder import picture_folder

    settings = request.settings_as(FolderSettings)
    return picture_folder(request.address, rate=settings.rate, fps=settings.fps)


def _rtsp(request: BuildRequest) -> "FrameSource":
    from facecv.adapters.frames.addresses import rtsp_camera

    own = request.settings_as(CameraSettings)
    return rtsp_camera(request.address, fps=own.fps, timeout=own.timeout, backoff=own.backoff)


def _http(request: BuildRequest) -> "FrameSource":
    from facecv.adapters.frames.addresses import http_camera

    own = request.settings_as(CameraSettings)
    return http_camera(request.address, fps=own.fps, timeout=own.timeout, backoff=own.backoff)


def _webcam(request: BuildRequest) -> "FrameSource":
    from facecv.adapters.frames.webcam import webcam

    settings = request.settings_as(CameraSettings)
    return webcam(request.address, fps=settings.fps, backoff=settings.backoff)


def _push(request: BuildRequest) -> "FrameSource":
    from facecv.adapters.frames.pushed import PushSource

    return PushSource(request.address or "push")


def _jsonl(request: BuildRequest) -> "EventSink":
    from facecv.adapters.events.jsonl import JsonLinesSink

    return JsonLinesSink(request.address)


def _webhook(request: BuildRequest) -> "EventSink":
    from facecv.adapters.events.webhook import webhook_sink

    own = request.settings_as(WebhookSettings)
    return webhook_sink(
        request.address,
        own.outbox,
        secret=own.secret,
        timeout=own.timeout,
        options=own.options(),
    )


def _mqtt(request: BuildRequest) -> "EventSink":
    from facecv.adapters.events.mqtt import mqtt_sink

    own = request.settings_as(DeliverySettings)
    return mqtt_sink(request.address, own.outbox, timeout=own.timeout, options=own.options())


def _sqlite(request: BuildRequest) -> "EventStore":
    from facecv.adapters.events.sqlite_store import SqliteEventStore

    return SqliteEventStore(Path(request.address))


def _memory(_: BuildRequest) -> "EventStore":
    from facecv.adapters.events.memory_store import MemoryEventStore

    return MemoryEventStore()


def _mp4(request: BuildRequest) -> "VideoSink":
    from facecv.adapters.frames.recorder import Mp4Recorder

    return Mp4Recorder(Path(request.address))


def _window(request: BuildRequest) -> "VideoSink":
    from facecv.adapters.frames.window import Window

    return Window(request.address or "FaceCV")


@hookimpl
def facecv_register_frame_sources() -> "Iterable[Provider[FrameSource]]":
    """Return our kinds of videos and cameras."""
    return [
        Provider("file", _file, "every frame of a video file", VideoFileSettings),
        Provider("folder", _folder, "every picture of a folder", FolderSettings),
        Provider("rtsp", _rtsp, "an RTSP camera, over TCP", CameraSettings),
        Provider("http", _http, "an HTTP camera: MJPEG and what FFmpeg knows", CameraSettings),
        Provider("webcam", _webcam, "a camera of this machine", CameraSettings),
        Provider("push", _push, "frames that a caller hands in"),
    ]


@hookimpl
def facecv_register_event_sinks() -> "Iterable[Provider[EventSink]]":
    """Return our places where events go."""
    return [
        Provider("jsonl", _jsonl, "lines of a file, - for the standard output"),
        Provider("webhook", _webhook, "signed HTTP posts, at least once", WebhookSettings),
        Provider("mqtt", _mqtt, "an MQTT broker, at least once", DeliverySettings),
    ]


@hookimpl
def facecv_register_event_stores() -> "Iterable[Provider[EventStore]]":
    """Return our places where events are kept."""
    return [
        Provider("sqlite", _sqlite, "tables in the gallery's SQLite file"),
        Provider("memory", _memory, "gone when the process ends"),
    ]


@hookimpl
def facecv_register_video_sinks() -> "Iterable[Provider[VideoSink]]":
    """Return our places where videos go."""
    return [
        Provider("mp4", _mp4, "an MP4 file"),
        Provider("window", _window, "a window on the screen"),
    ]
