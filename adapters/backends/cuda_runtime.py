"""The few functions of CUDA's runtime library that page-locked memory takes, through ctypes.

ONNX Runtime's Python package copies from and to any memory, but hands out none that is page-locked
(1.32; what its plugin providers have for that, the one built in has not).
"""

import ctypes
import sys
from typing import Any

_PORTABLE = 1  # cudaHostAllocPortable
_TO_DEVICE, _TO_HOST = 1, 2  # cudaMemcpyKind
_OWN_STREAM = 2  # cudaStreamPerThread

_SIGNATURES: dict[str, list[Any]] = {
    "cudaHostAlloc": [ctypes.POINTER(ctypes.c_void_p), ctypes.c_size_t, ctypes.c_uint],
    "cudaFreeHost": [ctypes.c_void_p],
    "cudaMemcpyAsync": [
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_int,
        ctypes.c_void_p,
    ],
    "cudaStreamSynchronize": [ctypes.c_void_p],
    "cudaGetLastError": [],
}


class CudaError(Exception):
    """A function of CUDA's runtime library failed."""


class CudaRuntime:
    """Page-locked memory, and copies between it and the GPU that ONNX Runtime takes by itself."""

    def __init__(self, library: Any) -> None:  # noqa: ANN401 - a ctypes.CDLL
        """Take the library, loaded."""
        for name, types in _SIGNATURES.items():
            function = getattr(library, name)
            function.argtypes, function.restype = types, ctypes.c_int
        library.cudaGetErrorString.argtypes = [ctypes.c_int]
        library.cudaGetErrorString.restype = ctypes.c_char_p
        self._library = library

    def allocate(self, size: int) -> int:
        """Return the address of `size` bytes that are page-locked for every GPU.

        Raises:
            CudaError: they cannot be had.
        """
        address = ctypes.c_void_p()
        self._check(self._library.cudaHostAlloc(ctypes.byref(address), size, _PORTABLE))
        return int(address.value or 0)

    def free(self, address: int) -> None:
        """Give back what `allocate` returned."""
        self._library.cudaFreeHost(address)

    def send(self, device: int, host: int, size: int) -> None:
        """Begin to copy from page-locked memory to the GPU, addresses and bytes."""
        self._copy(device, host, size, _TO_DEVICE)

    def fetch(self, host: int, device: int, size: int) -> None:
        """Begin to copy from the GPU to page-locked memory, addresses and bytes."""
        self._copy(host, device, size, _TO_HOST)

    def wait(self) -> None:
        """Return when all copies of this thread are done."""
        self._check(self._library.cudaStreamSynchronize(_OWN_STREAM))

    def _copy(self, target: int, source: int, size: int, kind: int) -> None:
        if size:
            self._check(self._library.cudaMemcpyAsync(target, source, size, kind, _OWN_STREAM))

    def _check(self, code: int) -> None:
        if code:
            self._library.cudaGetLastError()  # or ONNX Runtime would take it for one of its own
            words = self._library.cudaGetErrorString(code)
            raise CudaError(f"{words.decode(errors='replace')} (CUDA error {code})")


def load_cuda_runtime(cuda_version: str) -> CudaRuntime:
    """Return the runtime library of a version of CUDA such as ``12.8``.

    Raises:
        CudaError: it cannot be loaded.
    """
    major = cuda_version.partition(".")[0]
    name = f"cudart64_{major}.dll" if sys.platform == "win32" else f"libcudart.so.{major}"
    try:
        return CudaRuntime(ctypes.CDLL(name))
    except (OSError, AttributeError) as error:
        raise CudaError(str(error)) from error
