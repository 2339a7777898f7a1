"""All streams of a server: kept in a file, each watched by a runner of its own."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import attrs
import structlog
from filelock import FileLock, Timeout

from facecv.core.errors import (
    ConfigurationError,
    FaceCVError,
    InputError,
    NotReadyError,
    SourceError,
    StreamExistsError,
    StreamNotFoundError,
)
from facecv.entrypoints.api import Engine
from facecv.entrypoints.bootstrap import Builder
from facecv.entrypoints.http.event_hub import EventHub
from facecv.entrypoints.http.room import Room
from facecv.entrypoints.http.stream_addresses import check_sinks, check_source
from facecv.entrypoints.http.stream_file import StreamFile, StreamRecord
from facecv.entrypoints.http.stream_runner import StreamRunner
from facecv.entrypoints.http.workers import STREAMS, Workers
from facecv.entrypoints.server_config import ServerConfig
from facecv.entrypoints.streams import Streams

_JOIN = 3.0
"""Seconds that a request waits for a stream to stop; a camera that hangs takes some more."""
_AGAIN = 1.0


@attrs.frozen(eq=False)
class Stream:
    """A stream: what to watch, and who watches it."""

    record: StreamRecord
    runner: StreamRunner


class StreamDesk:
    """Keeps streams and has them watched; safe to use from several threads.

    One process at a time watches the streams of a file. Another one waits for its turn; requests
    that another worker of the server gets are handed to the one that watches.

    Attributes:
        hub: wakes clients that follow events.
        previews: counts clients that look at streams.
    """

    def __init__(self, engine: Engine, config: ServerConfig, workers: Workers) -> None:
        """Make a desk that has not begun to work yet."""
        self.hub = EventHub(config.streams.clients)
        self.previews = Room(config.streams.clients)
        self._config, self._workers = config.streams, workers
        self._streams = Streams(engine.parts)
        path = config.streams.path or _beside_gallery(engine)
        self._file = StreamFile(path) if path else None
        self._lock = threading.Lock()
        self._all: dict[str, Stream] = {}
        self._opened = False
        self._problem = "the streams are not watched yet"
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._open, name="streams", daemon=True)

    def start(self) -> None:
        """Begin to watch the streams that are kept, as soon as no other process does."""
        self._thread.start()

    def let_go(self) -> None:
        """Begin to stop all streams, and let those go who follow or look at them."""
        self._stopping.set()
        self.hub.close()
        with self._lock:
            for stream in self._all.values():
                stream.runner.ask_to_stop()

    def close(self, seconds: float) -> bool:
        """Stop all streams; return whether they ended in time."""
        self.let_go()
        with self._lock:
            runners = [stream.runner for stream in self._all.values()]
        deadline = time.monotonic() + seconds
        ended = [runner.join(deadline - time.monotonic()) for runner in runners]
        return all(ended)

    def all(self) -> list[Stream]:
        """Return all streams, by name.

        Raises:
            NotReadyError: this process does not watch them.
        """
        with self._lock:
            self._check_open()
            return sorted(self._all.values(), key=lambda stream: stream.record.name)

    def get(self, identity: str) -> Stream:
        """Return a stream; raise `StreamNotFoundError` if there is none."""
        with self._lock:
            return self._get(identity)

    def create(self, record: StreamRecord) -> Stream:
        """Add a stream, and begin to watch it.

        Raises:
            StreamExistsError: the name is taken, or there are too many.
            InputError: it cannot be a stream.
        """
        self._check(record)
        with self._lock:
            self._check_open()
            if len(self._all) >= self._config.most:
                raise StreamExistsError(
                    f"there are {len(self._all)} streams already",
                    hint="server.streams.most is how many there may be",
                )
            made = self._put(record)
        self._begin(made)
        return made

    def change(self, identity: str, changes: dict[str, Any]) -> Stream:
        """Change a stream, and watch it anew.

        Args:
            identity: its id.
            changes: attributes of its record.

        Raises:
            StreamNotFoundError: there is none.
            StreamExistsError: the new name is taken.
            InputError: it cannot be a stream.
        """
        self._check(attrs.evolve(self.get(identity).record, **changes))
        with self._lock:
            before = self._get(identity)
            made = self._put(attrs.evolve(before.record, **changes))
        before.runner.ask_to_stop()
        before.runner.join(_JOIN)
        self._begin(made)
        return made

    def remove(self, identity: str) -> None:
        """Stop a stream and forget it; its events stay.

        Raises:
            StreamNotFoundError: there is none.
        """
        with self._lock:
            gone = self._get(identity)
            self._keep([each.record for each in self._all.values() if each is not gone])
            del self._all[identity]
        gone.runner.ask_to_stop()
        gone.runner.join(_JOIN)

    def _open(self) -> None:
        """Wait for this process's turn, then watch what is kept."""
        try:
            while not self._stopping.is_set():
                with suppress(Timeout):
                    self._take_over()
                    return
                self._problem = "another process watches the streams of this gallery"
                self._stopping.wait(_AGAIN)
        except (FaceCVError, OSError) as error:
            self._problem = str(error)
            structlog.get_logger().error("no streams are watched", problem=self._problem)

    def _take_over(self) -> None:
        with self._turn():
            kept = self._file.read() if self._file else []
            self._workers.take_on(STREAMS)
            with self._lock:
                for record in kept:
                    self._all[record.id] = self._stream(record)
                self._opened = True
            for stream in list(self._all.values()):
                self._begin(stream)
            self._stopping.wait()  # until then, the lock is held

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Keep other processes from watching; raise `Timeout` if one does."""
        group, path = self._workers.group, self._file.path if self._file else None
        if path is None and group is not None:
            path = group.folder / STREAMS
        if path is None:
            yield
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(path.name + ".lock"), thread_local=False).acquire(timeout=0):
            yield

    def _check(self, record: StreamRecord) -> None:
        """Raise `InputError` where it is clear by now that a stream could not be watched."""
        parts, files = self._streams.parts, self._config.files
        check_source(parts, record.address, files=files)
        check_sinks(parts, record.sinks, files=files)
        try:
            with suppress(SourceError):  # may be there later
                self._streams.source(record.address, record.fps)
        except ConfigurationError as error:
            raise InputError(error.message, hint=error.hint) from error

    def _check_open(self) -> None:
        if not self._opened or self._stopping.is_set():
            raise NotReadyError(self._problem)

    def _get(self, identity: str) -> Stream:
        self._check_open()
        if identity not in self._all:
            raise StreamNotFoundError(f"there is no stream {identity!r}")
        return self._all[identity]

    def _put(self, record: StreamRecord) -> Stream:
        others = [each.record for each in self._all.values() if each.record.id != record.id]
        if any(each.name == record.name for each in others):
            raise StreamExistsError(f"there is a stream {record.name!r} already")
        self._keep([*others, record])
        self._all[record.id] = made = self._stream(record)
        return made

    def _stream(self, record: StreamRecord) -> Stream:
        return Stream(record, StreamRunner(self._streams, record, self.hub, self._ended))

    def _keep(self, records: list[StreamRecord]) -> None:
        if self._file is not None:
            self._file.write(records)

    def _begin(self, stream: Stream) -> None:
        if not stream.record.enabled or self._stopping.is_set():
            stream.runner.ask_to_stop()
        stream.runner.start()

    def _ended(self, identity: str) -> None:
        """Switch a file off that is over: it would begin anew with the server."""
        with self._lock:
            stream = self._all.get(identity)
            if stream is None:
                return
            over = Stream(attrs.evolve(stream.record, enabled=False), stream.runner)
            self._all[identity] = over
            try:
                self._keep([each.record for each in self._all.values()])
            except ConfigurationError as error:
                structlog.get_logger().error("streams not kept", problem=str(error))


def _beside_gallery(engine: Engine) -> Path | None:
    """Return where streams are kept if the gallery is a file."""
    parts = engine.parts
    _, settings = Builder(parts.config, parts.catalogue).gallery_settings()
    path = getattr(settings, "path", None)
    return Path(f"{path}.streams.json") if path else None
