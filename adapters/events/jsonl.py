"""Events as lines of a file."""

import json
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from facecv.core.errors import SinkError


class JsonLinesSink:
    """Appends one JSON object a line; each line is on its way to the disk when `emit` returns."""

    def __init__(self, path: str) -> None:
        """Open a file, and make its folder.

        Args:
            path: ``-`` for the standard output.

        Raises:
            SinkError: it cannot be written.
        """
        self._path = path
        self._lock = threading.Lock()
        self._file: TextIO | None = sys.stdout if path == "-" else _opened(Path(path))

    def emit(self, event: Mapping[str, Any], /) -> None:
        """Write one line."""
        line = json.dumps(event, ensure_ascii=False) + "\n"
        with self._lock:
            if self._file is None:
                raise SinkError(f"{self._path} is closed")
            try:
                self._file.write(line)
                self._file.flush()
            except OSError as error:
                raise SinkError(f"{self._path} cannot be written: {error.strerror}") from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            file, self._file = self._file, None
            if file is not None and file is not sys.stdout:
                file.close()


def _opened(path: Path) -> TextIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a", encoding="utf-8")
    except OSError as error:
        raise SinkError(f"{path} cannot be written: {error.strerror}") from error
