"""How many clients may stay at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from facecv.core.errors import OverloadedError


class Room:
    """Counts clients whose answers do not end."""

    def __init__(self, most: int) -> None:
        """Make an empty one.

        Args:
            most: the most clients that may be in it.
        """
        self._most = most
        self._lock = threading.Lock()
        self.inside = 0

    def check_room(self) -> None:
        """Raise `OverloadedError` if nobody else may come in."""
        if self.inside >= self._most:
            raise OverloadedError(
                f"{self._most} clients are connected already",
                hint="server.streams.clients is how many may be",
                details={"retry_after": 5},
            )

    @contextmanager
    def held(self) -> Iterator[None]:
        """Count a client while the context lasts.

        Raises:
            OverloadedError: there is no room.
        """
        with self._lock:
            self.check_room()
            self.inside += 1
        try:
            yield
        finally:
            with self._lock:
                self.inside -= 1
