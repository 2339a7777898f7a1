"""Memory that is used again, so that a picture needs no large array of its own."""

import math
import threading
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Scratch:
    """One buffer a thread, as large as the largest array that was asked for."""

    def __init__(self, dtype: DTypeLike) -> None:
        """Say what its arrays are made of."""
        self._dtype = np.dtype(dtype)
        self._local = threading.local()

    def array(self, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return an array [*shape] of any content, contiguous.

        It is the caller's until the same thread asks again.
        """
        wanted = math.prod(shape)
        buffer: NDArray[Any] | None = getattr(self._local, "buffer", None)
        if buffer is None or buffer.size < wanted:
            buffer = np.empty(wanted, self._dtype)
            self._local.buffer = buffer
        return buffer[:wanted].reshape(shape)
