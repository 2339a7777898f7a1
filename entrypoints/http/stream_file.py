"""Streams as they are kept: what to watch, not how it goes."""

from datetime import datetime
from pathlib import Path

import attrs
import msgspec

from facecv.core.errors import ConfigurationError
from facecv.core.gallery import new_id, now
from facecv.entrypoints.private_files import write_private


@attrs.frozen
class StreamRecord:
    """A stream that the server watches.

    Attributes:
        name: of the stream, in events; unique.
        address: of its source, password included.
        collection: where persons are looked for.
        fps: the most frames a second; None: as configured.
        enabled: whether it is watched.
        sinks: where its events go besides, each ``KIND=ADDRESS``, passwords included.
        id: unique.
        created: when it was made.
    """

    name: str
    address: str = attrs.field(repr=False)
    collection: str
    fps: float | None = None
    enabled: bool = True
    sinks: tuple[str, ...] = attrs.field(default=(), repr=False)
    id: str = attrs.field(factory=new_id)
    created: datetime = attrs.field(factory=now)


class StreamFile:
    """The streams of a server in one JSON file of mode 0600, since addresses hold passwords."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[StreamRecord]:
        """Return the streams; none where there is no file.

        Raises:
            ConfigurationError: the file cannot be read.
        """
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=list[StreamRecord])
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ConfigurationError(f"{self.path} cannot be read: {error.strerror}") from error
        except (msgspec.MsgspecError, ValueError) as error:
            raise ConfigurationError(
                f"{self.path} is not a file of streams", hint="move it away"
            ) from error

    def write(self, records: list[StreamRecord]) -> None:
        """Replace the streams, at once and for good.

        Raises:
            ConfigurationError: the file cannot be written; the streams of before are still there.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_private(self.path, msgspec.json.format(msgspec.json.encode(records)))
        except OSError as error:
            raise ConfigurationError(f"{self.path} cannot be written: {error.strerror}") from error
