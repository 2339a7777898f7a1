"""Taking models out of memory that nobody has used for a while."""

import threading

from facecv.core.services.model_desk import ModelDesk


class IdleUnloader:
    """Looks now and then for idle models, in a thread of its own.

    Args:
        desk: where the models are.
        seconds: how long a model must have been idle; 0: nothing is ever unloaded.
    """

    def __init__(self, desk: ModelDesk, seconds: float) -> None:
        self._desk = desk
        self._seconds = seconds
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        if self._seconds > 0:
            self._thread = threading.Thread(target=self._look, name="facecv-idle", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop looking. May be called twice."""
        self._over.set()
        if self._thread:
            self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(min(self._seconds / 4, 30.0)):
            self._desk.unload_idle(self._seconds)
