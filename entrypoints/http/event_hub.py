"""Events on their way to clients that follow them."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from facecv.entrypoints.http.room import Room

Accepts = Callable[[Mapping[str, Any]], bool]


class Subscription:
    """The events that one client has not been sent yet; never more than a few."""

    def __init__(self, accepts: Accepts, most: int) -> None:
        """Make one for the running event loop.

        Args:
            accepts: says which events the client wants.
            most: events that may wait; when there are more, it ends.
        """
        self._accepts, self._most = accepts, most
        self._loop = asyncio.get_running_loop()
        self._events: deque[Mapping[str, Any]] = deque()
        self._lock = threading.Lock()
        self._news = asyncio.Event()
        self.ended = False
        self.lost = False

    def offer(self, event: Mapping[str, Any]) -> None:
        """Take an event, from any thread; never waits."""
        if not self._accepts(event):
            return
        with self._lock:
            if self.ended:
                return
            if len(self._events) >= self._most:
                self._events.clear()
                self.ended = self.lost = True
            else:
                self._events.append(event)
        self._wake()

    def end(self) -> None:
        """Let `take` return None as soon as what waits was taken."""
        self.ended = True
        self._wake()

    async def take(self, seconds: float) -> list[Mapping[str, Any]] | None:
        """Return the events that wait; none of them after `seconds`, None once it has ended."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), seconds)
        with self._lock:
            self._news.clear()
            events = list(self._events)
            self._events.clear()
            if self.ended:
                self._news.set()
        return events or (None if self.ended else [])

    def _wake(self) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._news.set)


class EventHub:
    """An event sink that hands each event to all clients that want it, and waits for none."""

    def __init__(self, clients: int, backlog: int) -> None:
        """Make a hub without clients.

        Args:
            clients: the most that may follow.
            backlog: events that may wait for one of them.
        """
        self.room, self._backlog = Room(clients), backlog
        self._lock = threading.Lock()
        self._subscriptions: set[Subscription] = set()
        self.closed = False

    def emit(self, event: Mapping[str, Any], /) -> None:
        """Hand an event to all that want it."""
        with self._lock:
            followers = list(self._subscriptions)
        for each in followers:
            each.offer(event)

    def close(self) -> None:
        """Let every client go, and take no more. May be called twice."""
        with self._lock:
            self.closed = True
            followers = list(self._subscriptions)
        for each in followers:
            each.end()

    @contextmanager
    def follow(self, accepts: Accepts) -> Iterator[Subscription]:
        """Give events to a client while the context lasts.

        Raises:
            OverloadedError: too many follow already.
        """
        with self.room.held():
            mine = Subscription(accepts, self._backlog)
            with self._lock:
                mine.ended = self.closed
                self._subscriptions.add(mine)
            try:
                yield mine
            finally:
                with self._lock:
                    self._subscriptions.discard(mine)
