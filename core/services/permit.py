"""Changes that are asked for by somebody who may stop waiting: made in time, or not at all."""

import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Literal, TypeVar

from facecv.core.errors import TimeLimitError

ResultT = TypeVar("ResultT")


class Permit:
    """Settles, once, which came first: work that wants to keep its changes, or the end of patience.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: Literal["open", "taken", "withdrawn"] = "open"

    def take(self) -> None:
        """Let changes be kept from now on. May be called again.

        Raises:
            TimeLimitError: nobody waits for them any more; they must be undone.
        """
        with self._lock:
            if self._state == "withdrawn":
                raise TimeLimitError("nobody waits for this any more: nothing was changed")
            self._state = "taken"

    def withdraw(self) -> bool:
        """Forbid changes; return whether that is still possible."""
        with self._lock:
            if self._state == "open":
                self._state = "withdrawn"
            return self._state == "withdrawn"

    def around(self, task: Callable[[], ResultT]) -> Callable[[], ResultT]:
        """Return a task in which `may_keep` asks this permit; for a context of its own."""

        def run() -> ResultT:
            _PERMIT.set(self)
            return task()

        return run


_PERMIT: ContextVar[Permit | None] = ContextVar("facecv_permit", default=None)


def may_keep() -> None:
    """Raise unless changes may be kept; the last call in a transaction.

    Work that runs without a permit may always.

    Raises:
        TimeLimitError: whoever asked for them was told that they were not made.
    """
    permit = _PERMIT.get()
    if permit is not None:
        permit.take()
