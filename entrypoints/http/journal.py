"""The last requests that the server could not answer, for whoever looks after it."""

import threading
from collections import deque
from datetime import UTC, datetime

import attrs

KEPT = 50
"""How many are kept."""


@attrs.frozen
class Incident:
    """A request that failed here.

    Attributes:
        time: when, UTC.
        code: kind of error, as on the wire.
        message: what was wrong.
        request_id: of the request; the log has more under it.
        path: of the request.
    """

    time: datetime
    code: str
    message: str
    request_id: str
    path: str


class Journal:
    """Keeps the last incidents. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._incidents: deque[Incident] = deque(maxlen=KEPT)

    def note(self, code: str, message: str, request_id: str, path: str) -> None:
        """Keep an incident; the oldest one goes."""
        with self._lock:
            self._incidents.append(Incident(datetime.now(UTC), code, message, request_id, path))

    def newest(self) -> list[Incident]:
        """Return what is kept, newest first."""
        with self._lock:
            return list(reversed(self._incidents))
