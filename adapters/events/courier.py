"""Delivering what waits in an outbox, for as long as it takes."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import structlog
from filelock import FileLock, Timeout

from facecv.adapters.events.outbox import Letter, Outbox
from facecv.core.backoff import Backoff
from facecv.core.errors import SinkError
from facecv.core.event import DeadLetter

_PATROL = 1.0
"""Seconds after which an outbox is looked at even if nobody called: other processes fill it too."""
_JOIN = 5.0

Deliver = Callable[[Letter], None]
"""Delivers one letter; raises `SinkError`, whose message holds no secrets, if it could not."""


@attrs.frozen
class CourierOptions:
    """How hard to try.

    Attributes:
        backoff: how long a letter waits after it could not be delivered.
        tries: after which it is given up.
        grace: seconds for which closing waits for what is left; the rest goes with the next start.
    """

    backoff: Backoff = attrs.field(factory=lambda: Backoff(first=1.0, longest=300.0))
    tries: int = attrs.field(default=20, validator=attrs.validators.ge(1))
    grace: float = attrs.field(default=5.0, validator=attrs.validators.ge(0))


class CourierSink:
    """An event sink whose events are delivered at least once, and in order within a track.

    `emit` returns when the event is on the disk. One courier at a time works on an outbox, also
    among processes, or else order would be lost.
    """

    def __init__(
        self,
        outbox: Outbox,
        deliver: Deliver,
        options: CourierOptions | None = None,
        *,
        release: Callable[[], None] = lambda: None,
    ) -> None:
        """Start to deliver what is in the outbox.

        Args:
            outbox: where events wait.
            deliver: delivers one; called from one thread.
            options: how hard to try.
            release: frees what `deliver` uses; called once.
        """
        self._outbox = outbox
        self._deliver = deliver
        self._options = options or CourierOptions()
        self._release = release
        self._stop = threading.Event()
        self._news = threading.Event()
        self._closed = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="courier", daemon=True)
        self._thread.start()

    def emit(self, event: Mapping[str, Any], /) -> None:
        """Put an event on the disk, to be delivered soon."""
        if self._stop.is_set():
            raise SinkError("this sink is closed")
        self._outbox.put(event)
        self._news.set()

    def close(self) -> None:
        """Wait a while for what is left to be delivered, then stop."""
        if not self._closed.acquire(blocking=False):
            return
        deadline = time.monotonic() + self._options.grace
        while self._thread.is_alive() and time.monotonic() < deadline and self._outbox.pending():
            time.sleep(0.02)
        self._stop.set()
        self._news.set()
        self._thread.join(_JOIN)
        self._release()
        self._outbox.close()

    def dead_letters(self) -> Sequence[DeadLetter]:
        """Return what could not be delivered, oldest first."""
        return self._outbox.dead_letters()

    def revive(self) -> int:
        """Put what was given up back among what is to be delivered."""
        count = self._outbox.revive()
        self._news.set()
        return count

    def _work(self) -> None:
        lock = FileLock(f"{self._outbox.path}.{self._outbox.address[:8]}.lock")
        while not self._stop.is_set():
            try:
                with lock.acquire(timeout=0):
                    self._round()
            except Timeout:  # another process delivers
                self._stop.wait(_PATROL)
            except (SinkError, OSError) as error:  # a full disk may be emptied
                structlog.get_logger().error("deliveries are held up", problem=str(error))
                self._stop.wait(_PATROL)

    def _round(self) -> None:
        """Deliver until the sink is closed."""
        while not self._stop.is_set():
            self._news.clear()
            letter = self._outbox.next()
            wait = _PATROL if letter is None else min(letter.due - time.time(), _PATROL)
            if wait > 0:
                self._news.wait(wait)
            elif letter is not None:
                self._try(letter)

    def _try(self, letter: Letter) -> None:
        try:
            self._deliver(letter)
        except SinkError as error:
            failures = letter.failures + 1
            give_up = failures >= self._options.tries
            delay = None if give_up else self._options.backoff.delay(failures)
            log = structlog.get_logger()
            log.warning("event not delivered", id=letter.id, problem=error.message, retry_in=delay)
            self._outbox.failed(letter, error.message, delay)
        else:
            self._outbox.delivered(letter)
