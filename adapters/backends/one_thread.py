"""One thread through which all goes that touches a GPU while CUDA graphs are recorded.

ONNX Runtime records in the mode that forbids every other thread of the process to allocate or to
wait on the GPU meanwhile, and it keeps what it recorded for each thread apart. So with CUDA graphs,
networks are loaded, run and freed by one thread.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

ResultT = TypeVar("ResultT")


class OneThread:
    """Does the work of all threads on one, which begins with the first piece of work."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "facecv-gpu", initializer=self._begin)
        self._ident: int | None = None

    def __call__(self, work: Callable[[], ResultT]) -> ResultT:
        """Return what `work` returns; raises what it raises."""
        if threading.get_ident() == self._ident:
            return work()
        return self._pool.submit(work).result()

    def _begin(self) -> None:
        self._ident = threading.get_ident()


def at_once(work: Callable[[], ResultT]) -> ResultT:
    """Return what `work` returns, done by the caller's own thread."""
    return work()
