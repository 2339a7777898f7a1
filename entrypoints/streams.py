"""Streams: sources, sinks and watchers, wired from the parts of an engine."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import attrs

from facecv.core.arrays import Pixels
from facecv.core.errors import ConfigurationError
from facecv.core.ports.annotator import Label, Tone
from facecv.core.ports.event_sink import EventSink
from facecv.core.ports.frame_source import FrameSource
from facecv.core.ports.video_sink import VideoSink
from facecv.core.services.analyse import Analyser
from facecv.core.services.announce import Announcer
from facecv.core.services.ballot import Standing
from facecv.core.services.enrol import Enroller
from facecv.core.services.event_log import EventLog
from facecv.core.services.follow import default_threshold
from facecv.core.services.identify import IdentifyOptions
from facecv.core.services.recognise import Recogniser
from facecv.core.services.strangers import Strangers
from facecv.core.services.watch import Sight, Watcher
from facecv.core.text import nearest
from facecv.core.urls import redacted
from facecv.entrypoints.bootstrap import Parts

_SCHEMES = {"rtsp": "rtsp", "rtsps": "rtsp", "http": "http", "https": "http"}
_TONES: dict[Standing, Tone] = {"person": "good", "stranger": "bad", "open": "plain"}


@attrs.frozen(eq=False)
class Streams:
    """Opens what streams are made of.

    Attributes:
        parts: of the engine.
    """

    parts: Parts

    def source(self, address: str, fps: float | None = None) -> FrameSource:
        """Return a source, not open yet.

        Args:
            address: a path, a URL, the number of a camera, or ``PROVIDER:ADDRESS``.
            fps: the most frames a second to look at; None: as configured.

        Raises:
            ConfigurationError: it is not clear what the address is of.
            SourceError: there is no such file or folder.
        """
        name, place = source_kind(address, self.parts.catalogue.names("frame_sources"))
        extra = {} if fps is None else {"fps": fps}
        return cast("FrameSource", self.parts.build("frame_sources", name, place, extra))

    def sink(self, text: str) -> EventSink:
        """Return an open event sink.

        Args:
            text: ``PROVIDER=ADDRESS``.

        Raises:
            ConfigurationError: it is not written so.
            UnknownProviderError: there is no such provider.
            SinkError: it cannot be opened.
        """
        name, equals, address = text.partition("=")
        if not equals or not address:
            known = self.parts.catalogue.names("event_sinks")
            raise ConfigurationError(
                f"{redacted(text)!r} does not say where events go",
                hint=f"KIND=ADDRESS, such as jsonl=events.jsonl; {nearest(name, known)}",
            )
        return cast("EventSink", self.parts.build("event_sinks", name, address, {}))

    def video(self, name: str, address: str) -> VideoSink:
        """Return a place where videos go: ``mp4`` and a path, ``window`` and a title."""
        return cast("VideoSink", self.parts.build("video_sinks", name, address, {}))

    def log(self, sinks: Sequence[EventSink]) -> EventLog:
        """Return where events go: the event store, and the sinks."""
        return EventLog(self.parts.events.get(), sinks, self.parts.config.watch.keep)

    def watcher(
        self, name: str, collection: str, log: EventLog, *, began: datetime | None = None
    ) -> Watcher:
        """Return what watches a stream.

        Args:
            name: of the stream, for events.
            collection: where persons are looked for; empty: the configured one.
            log: takes the events.
            began: moment of a file's first frame; None for a live source.
        """
        config, analyser = self.parts.config, self.parts.analyser
        chosen = collection or config.collection
        options = config.watch.options(analyser.find)
        announcer = Announcer(
            log.record,
            name,
            chosen,
            config.watch.cooldown,
            began,
            self._jpeg if options.crops else None,
        )
        return Watcher(analyser, self._recogniser(chosen).recognise, announcer, options)

    def strangers(self, collection: str = "") -> Strangers:
        """Return the strangers that cameras have seen.

        Args:
            collection: decides from which similarity two faces are one person.
        """
        gallery, analyser = self.parts.gallery.get(), self.parts.analyser
        threshold = self.parts.config.recognition.threshold
        if threshold is None:
            threshold = self._threshold(collection or self.parts.config.collection, analyser)
        return Strangers(self.parts.events.get(), Enroller(analyser, gallery), threshold)

    def _threshold(self, collection: str, analyser: Analyser) -> float:
        for found in self.parts.gallery.get().collections():
            if found.name == collection:
                own = found.threshold
                return default_threshold(analyser, found.space) if own is None else own
        return analyser.recognition.threshold

    def _recogniser(self, collection: str) -> Recogniser:
        own = self.parts.config.recognition
        gallery = self.parts.gallery.get()
        options = IdentifyOptions(top_k=own.top_k)
        return Recogniser(
            self.parts.analyser, gallery, collection, own.threshold, own.margin, options
        )

    def _jpeg(self, crop: Pixels) -> bytes:
        return self.parts.annotator.encode(crop, ".jpg")


def source_kind(address: str, known: Sequence[str]) -> tuple[str, str]:
    """Return the provider of a source and the address that it gets.

    Args:
        address: a path, a URL, the number of a camera, or ``PROVIDER:ADDRESS``.
        known: names of providers.

    Raises:
        ConfigurationError: it is a URL of a kind that nobody knows.
    """
    before, colon, rest = address.partition(":")
    if colon and rest.startswith("//"):
        kind = _SCHEMES.get(before.lower(), before.lower())
        if kind not in known:
            raise ConfigurationError(
                f"{redacted(address)}: nobody knows sources of {before}://",
                hint="say which kind it is: http:ADDRESS lets FFmpeg try",
            )
        return kind, address
    if colon and before in known:
        return before, rest
    if address.isdecimal() or address.startswith("/dev/video"):
        return "webcam", address
    return ("folder" if Path(address).is_dir() else "file"), address


def sight_label(sight: Sight) -> Label:
    """Return what is drawn for a face: the name, ``unknown``, or nothing while it is open."""
    match, standing = sight.verdict.match, sight.verdict.standing
    text = "unknown" if standing == "stranger" else ""
    if match:
        text = f"{match.person.name} {match.similarity:.2f}"
    return Label(sight.detection, text, _TONES[standing])


def draw_sights(parts: Parts, pixels: Pixels, sights: Sequence[Sight]) -> Pixels:
    """Return a copy of a frame, uint8 [H, W, 3] BGR, with faces and names on it."""
    drawn: Any = parts.annotator.draw(pixels, [sight_label(sight) for sight in sights])
    return cast("Pixels", drawn)
