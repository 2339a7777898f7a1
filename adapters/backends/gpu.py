"""NVIDIA GPUs and the libraries around them, asked through the driver; no CUDA package needed."""

import ctypes
import importlib.util
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import attrs

_DRIVER = {"win32": "nvcuda.dll"}.get(sys.platform, "libcuda.so.1")
_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*


@attrs.frozen
class Gpu:
    """One NVIDIA GPU.

    Attributes:
        name: as the driver gives it.
        capability: compute capability, such as ``9.0``.
    """

    name: str
    capability: str


def find_gpus(driver: str = _DRIVER) -> tuple[Gpu, ...]:
    """Return the GPUs that this process may use; empty without a driver."""
    try:
        cuda = ctypes.CDLL(driver)
    except OSError:
        return ()
    count = ctypes.c_int()
    if cuda.cuInit(0) or cuda.cuDeviceGetCount(ctypes.byref(count)):
        return ()
    return tuple(_gpu(cuda, ordinal) for ordinal in range(count.value))


def _gpu(cuda: ctypes.CDLL, ordinal: int) -> Gpu:
    device, name = ctypes.c_int(), ctypes.create_string_buffer(256)
    cuda.cuDeviceGet(ctypes.byref(device), ordinal)
    cuda.cuDeviceGetName(name, len(name), device)
    capability = []
    for attribute in (_MAJOR, _MINOR):
        value = ctypes.c_int()
        cuda.cuDeviceGetAttribute(ctypes.byref(value), attribute, device)
        capability.append(str(value.value))
    return Gpu(name.value.decode(errors="replace"), ".".join(capability))


def missing_libraries(names: Sequence[str]) -> list[str]:
    """Return those of the shared libraries that cannot be loaded, as loader messages."""
    missing = []
    for name in names:
        try:
            ctypes.CDLL(name)
        except OSError as error:
            missing.append(f"{name}: {error}")
    return missing


def preload_tensorrt() -> None:
    """Load the libraries of the pip package of TensorRT, so that ONNX Runtime finds them."""
    spec = importlib.util.find_spec("tensorrt_libs")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for pattern in ("libnvinfer.so.*", "libnvinfer_plugin.so.*", "libnvonnxparser.so.*"):
            for library in sorted(Path(folder).glob(pattern)):
                with suppress(OSError):
                    ctypes.CDLL(str(library), mode=getattr(ctypes, "RTLD_GLOBAL", 0))


def tensorrt_version(library: str = "libnvinfer.so.10") -> str:
    """Return the version of the TensorRT that is loaded, such as ``10.13.3``; empty: unknown.

    Engines of one version are of no use to another.
    """
    try:
        number = int(ctypes.CDLL(library).getInferLibVersion())
    except (OSError, AttributeError):
        return ""
    return f"{number // 10_000}.{number // 100 % 100}.{number % 100}"
