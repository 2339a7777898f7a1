"""Ends of patience that share one timer."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Deadlines:
    """Acts on what takes too long, at the next tick of one clock. For one event loop.

    A timer of its own for each request is dear: the loop takes one more turn to close it, and in
    each turn it queues for the interpreter behind the threads that look at pictures.
    """

    def __init__(self, tick: float = 0.1) -> None:
        """Make a clock; it stands still while nothing is waited for.

        Args:
            tick: seconds that an act may be late.
        """
        self._tick = tick
        self._acts: dict[object, tuple[float, Callable[[], None]]] = {}
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def after(self, seconds: float, act: Callable[[], None]) -> Iterator[None]:
        """Act on the event loop if the block takes longer than so many seconds."""
        loop, key = asyncio.get_running_loop(), object()
        self._acts[key] = loop.time() + seconds, act
        if self._timer is None:
            self._timer = loop.call_later(self._tick, self._look, loop)
        try:
            yield
        finally:
            self._acts.pop(key, None)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for key in [key for key, (when, _) in self._acts.items() if when <= now]:
            self._acts.pop(key)[1]()
        self._timer = loop.call_later(self._tick, self._look, loop) if self._acts else None
