"""How tensors get to a GPU and back."""

import ctypes
import math
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import structlog
from numpy.typing import DTypeLike, NDArray

from facecv.adapters.backends.cuda_runtime import CudaError, CudaRuntime, load_cuda_runtime
from facecv.adapters.backends.session import dtype_of

Inputs = Mapping[str, NDArray[Any]]
Wanted = Sequence[tuple[Sequence[int], DTypeLike]]

_ALIGNED = 256
"""Bytes; tensors in page-locked memory begin at multiples of it."""


class Transfers(Protocol):
    """Copies the inputs and outputs of runs; may be used by several threads."""

    @property
    def outputs_on(self) -> str:
        """Where runs leave their outputs, in ONNX Runtime's words."""
        ...

    def send(self, inputs: Inputs, values: Mapping[str, Any]) -> None:
        """Copy arrays to values (``onnxruntime.OrtValue``) of the same names."""
        ...

    def fetch(self, binding: Any) -> list[NDArray[Any]]:  # noqa: ANN401 - the library has no types
        """Return copies of the outputs of a run, by its ``onnxruntime.IOBinding``."""
        ...


class PlainTransfers:
    """Copies as ONNX Runtime does by itself: from and to memory as it comes."""

    outputs_on = "cpu"

    def send(self, inputs: Inputs, values: Mapping[str, Any]) -> None:
        """Copy arrays to values; see `Transfers`."""
        for name, array in inputs.items():
            values[name].update_inplace(np.ascontiguousarray(array))

    def fetch(self, binding: Any) -> list[NDArray[Any]]:  # noqa: ANN401 - the library has no types
        """Return copies of the outputs; see `Transfers`."""
        return [np.asarray(array) for array in binding.copy_outputs_to_cpu()]


class PinnedTransfers:
    """Copies through page-locked memory, which each thread keeps.

    From any other memory, CUDA itself copies piece by piece to page-locked memory of its own, and
    waits at each; from this one a tensor crosses the bus in one go, and all of them are waited for
    at once. Where a thread can get no such memory, it copies as `PlainTransfers` does.
    """

    def __init__(self, cuda: CudaRuntime, device: str = "cuda") -> None:
        """Take CUDA's runtime library, and the device that networks run on."""
        self.outputs_on = device
        self._cuda = cuda
        self._plain = PlainTransfers()
        self._own = threading.local()

    def send(self, inputs: Inputs, values: Mapping[str, Any]) -> None:
        """Copy arrays to values; see `Transfers`."""
        stages = self._stages([(array.shape, array.dtype) for array in inputs.values()])
        if stages is None:
            self._plain.send(inputs, values)
            return
        for stage, (name, array) in zip(stages, inputs.items(), strict=True):
            np.copyto(stage, array)
            self._cuda.send(values[name].data_ptr(), stage.ctypes.data, stage.nbytes)
        self._cuda.wait()

    def fetch(self, binding: Any) -> list[NDArray[Any]]:  # noqa: ANN401 - the library has no types
        """Return copies of the outputs; see `Transfers`."""
        outputs = binding.get_outputs()
        stages = self._stages([(each.shape(), dtype_of(each.data_type())) for each in outputs])
        if stages is None:
            return self._plain.fetch(binding)
        for stage, output in zip(stages, outputs, strict=True):
            self._cuda.fetch(stage.ctypes.data, output.data_ptr(), stage.nbytes)
        self._cuda.wait()
        return [stage.copy() for stage in stages]

    def _stages(self, wanted: Wanted) -> list[NDArray[Any]] | None:
        """Return this thread's page-locked arrays of such shapes; None: there is no such memory."""
        if not hasattr(self._own, "memory"):
            self._own.memory = _PinnedMemory(self._cuda)
        memory: _PinnedMemory | None = self._own.memory
        if memory is None:
            return None
        try:
            return memory.arrays(wanted)
        except CudaError as error:
            self._own.memory = None
            _log_unpinned(error)
            return None


class _PinnedMemory:
    """One piece of page-locked memory, as large as the most that was asked for at a time."""

    def __init__(self, cuda: CudaRuntime) -> None:
        self._cuda = cuda
        self._size = 0
        self._address = 0
        self._free: Any = None

    def arrays(self, wanted: Wanted) -> list[NDArray[Any]]:
        """Return arrays of these shapes and types, of any content, until more are asked for.

        Raises:
            CudaError: there is not that much memory.
        """
        self._grow(sum(size for size, _, _ in _measured(wanted)))
        made, start = [], self._address
        for size, shape, dtype in _measured(wanted):
            length = math.prod(shape) * dtype.itemsize
            content = (ctypes.c_char * length).from_address(start)
            made.append(np.ndarray(shape, dtype, memoryview(content)))
            start += size
        return made

    def _grow(self, size: int) -> None:
        if size <= self._size:
            return
        address = self._cuda.allocate(size)
        if self._free is not None:
            self._free()
        self._address, self._size = address, size
        self._free = weakref.finalize(self, self._cuda.free, address)
        self._free.atexit = False  # then the process gives back all of it


def _measured(wanted: Wanted) -> Iterator[tuple[int, tuple[int, ...], np.dtype[Any]]]:
    """Yield the bytes that arrays take up, filled up, with their shapes and types."""
    for shape, dtype in wanted:
        kind = np.dtype(dtype)
        length = math.prod(shape) * kind.itemsize
        yield -(-length // _ALIGNED) * _ALIGNED, tuple(shape), kind


def find_transfers(runtime: Any) -> Transfers:  # noqa: ANN401 - the package onnxruntime
    """Return how tensors are to be copied to the GPU and back: through page-locked memory, if any.

    Where there is none, the log says why.
    """
    try:
        cuda = load_cuda_runtime(str(getattr(runtime, "cuda_version", None) or ""))
        cuda.free(cuda.allocate(_ALIGNED))
    except CudaError as error:
        _log_unpinned(error)
        return PlainTransfers()
    return PinnedTransfers(cuda)


def _log_unpinned(error: CudaError) -> None:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger()
    logger.warning("no page-locked memory: copies to and from the GPU take longer", why=str(error))
