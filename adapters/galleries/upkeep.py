"""Work that may be done beside the program's own: what only makes searches faster."""

import os
import threading
from collections.abc import Callable

import structlog

from facecv.core.errors import FaceCVError

Job = Callable[[threading.Event], None]
"""Does the work; returns early once the event is set."""


class Upkeep:
    """Runs jobs in threads of their own, one at a time; of each name one at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._stop = threading.Event()
        self._running: dict[str, threading.Thread] = {}
        self._owner = os.getpid()

    def ask(self, name: str, job: Job) -> None:
        """Have a job done, unless one of that name is under way or all has ended."""
        with self._lock:
            if self._owner != os.getpid():  # threads do not survive a fork
                self._owner, self._turn, self._running = os.getpid(), threading.Lock(), {}
            if self._stop.is_set() or name in self._running:
                return
            thread = threading.Thread(target=self._run, args=(name, job), name=name, daemon=True)
            self._running[name] = thread
            thread.start()

    def close(self) -> None:
        """Tell jobs to return, and wait until they have."""
        with self._lock:
            self._stop.set()
            running = list(self._running.values()) if self._owner == os.getpid() else []
        for thread in running:
            thread.join()

    def _run(self, name: str, job: Job) -> None:
        try:
            with self._turn:
                if not self._stop.is_set():
                    job(self._stop)
        except FaceCVError as error:
            structlog.get_logger().warning("upkeep_failed", job=name, error=str(error))
        finally:
            with self._lock:
                self._running.pop(name, None)
