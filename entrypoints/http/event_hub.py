"""Waking clients that follow events when there is one."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from facecv.entrypoints.http.room import Room


class Follower:
    """A client that wants to know when something happens. For the event loop that made it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self.ended = False

    def wake(self) -> None:
        """Let `news` return; from any thread, never waits."""
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._news.set)

    def end(self) -> None:
        """Let `news` return at once, from now on."""
        self.ended = True
        self.wake()

    async def news(self, seconds: float) -> None:
        """Return when something has happened since the last time, or after `seconds`."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), seconds)
        if not self.ended:
            self._news.clear()


class EventHub:
    """An event sink that wakes all clients that follow events, and waits for none."""

    def __init__(self, clients: int) -> None:
        """Make a hub without clients.

        Args:
            clients: the most that may follow.
        """
        self.room = Room(clients)
        self._lock = threading.Lock()
        self._followers: set[Follower] = set()
        self._closed = False

    def emit(self, _: Mapping[str, Any], /) -> None:
        """Wake all that follow."""
        with self._lock:
            followers = list(self._followers)
        for each in followers:
            each.wake()

    def close(self) -> None:
        """Let every client go, and take no more. May be called twice."""
        with self._lock:
            self._closed = True
            followers = list(self._followers)
        for each in followers:
            each.end()

    @contextmanager
    def follow(self) -> Iterator[Follower]:
        """Count a client, and wake it, while the context lasts.

        Raises:
            OverloadedError: too many follow already.
        """
        with self.room.held():
            mine = Follower()
            with self._lock:
                self._followers.add(mine)
                if self._closed:
                    mine.end()
            try:
                yield mine
            finally:
                with self._lock:
                    self._followers.discard(mine)
