"""A bounded pool of threads: so much at once, so much waiting, and no more."""

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from facecv.core.cpu_budget import available_cores
from facecv.core.errors import OverloadedError

ResultT = TypeVar("ResultT")


class WorkPool:
    """Runs tasks in threads. Safe to use from several threads.

    A task that waits can be taken back with `Future.cancel`; one that runs ends by itself.
    """

    def __init__(self, workers: int = 0, queue: int = 64, retry_after: int = 1) -> None:
        """Make a pool; its threads start when they are needed.

        Args:
            workers: how many tasks run at once; 0: the cores that this process may use.
            queue: how many more may wait.
            retry_after: seconds after which those who are refused may come back.
        """
        self.workers = workers or available_cores()
        self.queue = queue
        self._retry_after = retry_after
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="facecv-work")
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._taken = 0
        self._refused = 0

    @property
    def busy(self) -> int:
        """How many tasks run or wait."""
        return self._taken

    @property
    def waiting(self) -> int:
        """How many tasks wait for a thread."""
        return max(0, self._taken - self.workers)

    @property
    def refused(self) -> int:
        """How many tasks were refused since the pool was made."""
        return self._refused

    def submit(self, task: Callable[[], ResultT]) -> Future[ResultT]:
        """Return the future of a task, which runs with the context variables of the caller.

        Raises:
            OverloadedError: too many tasks are waiting, or the pool was closed.
        """
        self._take()
        context = contextvars.copy_context()
        try:
            future = self._threads.submit(context.run, task)
        except RuntimeError as error:
            self._give_back()
            raise self._overloaded("the server is stopping") from error
        future.add_done_callback(lambda _: self._give_back())
        return future

    def close(self, seconds: float | None = None) -> bool:
        """Take no more tasks, drop those that wait, and wait for those that run.

        Args:
            seconds: how long to wait at most; None: as long as it takes.

        Returns:
            Whether all have ended.
        """
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            return self._idle.wait_for(lambda: not self._taken, seconds)

    def _take(self) -> None:
        with self._lock:
            if self._taken >= self.workers + self.queue:
                self._refused += 1
                raise self._overloaded(f"{self.queue} tasks are waiting already")
            self._taken += 1

    def _give_back(self) -> None:
        with self._lock:
            self._taken -= 1
            self._idle.notify_all()

    def _overloaded(self, reason: str) -> OverloadedError:
        return OverloadedError(
            reason, hint="come back later", details={"retry_after": self._retry_after}
        )
