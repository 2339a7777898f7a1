"""Which execution providers of ONNX Runtime to ask for, and with what options; pure functions."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from facecv.adapters.backends.gpu import Gpu
from facecv.core.errors import DeviceUnavailableError
from facecv.core.pack import ModelFile
from facecv.core.ports.inference_backend import Device, TensorSpec

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"

DEVICES: tuple[Device, ...] = ("cpu", "cuda", "tensorrt")
"""Every device that is not ``auto``."""

_PROVIDER: Mapping[str, str] = {"cpu": CPU, "cuda": CUDA, "tensorrt": TENSORRT}

NO_GPU = "no NVIDIA GPU is visible to this process (driver missing, or no device passed in)"

ProviderOptions = dict[str, str]
Providers = list[tuple[str, ProviderOptions]]


@attrs.frozen
class Machine:
    """What a choice of device depends on.

    Attributes:
        providers: what the installed build of ONNX Runtime can do.
        gpus: GPUs that the process may use.
    """

    providers: tuple[str, ...]
    gpus: tuple[Gpu, ...] = ()


@attrs.frozen
class Choice:
    """A device, and why.

    Attributes:
        device: never ``auto``.
        reason: in words, for the log.
    """

    device: Device
    reason: str

    @property
    def provider(self) -> str:
        """The execution provider that must run the network."""
        return _PROVIDER[self.device]


def choose(device: Device, machine: Machine) -> Choice:
    """Return what to run on; only ``auto`` may choose.

    Raises:
        DeviceUnavailableError: the device cannot be had on this machine; says why.
    """
    if device == "auto":
        obstacle = find_obstacle("cuda", machine)
        return Choice("cpu", obstacle) if obstacle else Choice("cuda", "a GPU is available")
    obstacle = find_obstacle(device, machine)
    if obstacle:
        raise unavailable(device, obstacle)
    return Choice(device, "as configured")


def find_obstacle(device: Device, machine: Machine) -> str:
    """Return why `device` cannot be had, in words; empty if nothing speaks against it."""
    provider = _PROVIDER[device]
    if provider not in machine.providers:
        return f"the installed ONNX Runtime has no {provider}"
    if device != "cpu" and not machine.gpus:
        return NO_GPU
    return ""


def unavailable(device: Device, reason: str) -> DeviceUnavailableError:
    """Return the error that says why `device` cannot be had, and what to do."""
    remedy = f"run: pip uninstall -y onnxruntime && pip install 'facecv[{device}]'"
    if reason == NO_GPU:
        remedy = "see whether nvidia-smi shows one here"
    return DeviceUnavailableError(
        f"device {device!r} cannot be used: {reason}",
        hint=f"{remedy}; or choose device 'cpu' or 'auto'",
        details={"device": device, "reason": reason},
    )


@attrs.frozen
class GpuSettings:
    """How networks run on a GPU.

    Attributes:
        allow_cpu_nodes: whether operators that take time may be left to the CPU.
        io_binding: whether inputs go through buffers on the GPU that are used again.
        cuda_graphs: whether runs on ``cuda`` are recorded and played back.
        fp16: whether TensorRT may use half precision.
        max_side: the longest side, in pixels, of pictures that TensorRT's engines take.
    """

    allow_cpu_nodes: bool = False
    io_binding: bool = True
    cuda_graphs: bool = False
    fp16: bool = True
    max_side: int = 1280


@attrs.frozen
class TensorrtSettings:
    """How TensorRT engines are built and kept.

    Attributes:
        cache: folder of engines and timing caches; None: nothing is kept.
        fp16: whether half precision may be used.
        max_batch: the largest batch of the shape profile.
        max_side: the longest side, in pixels, of the shape profile of a free input size.
    """

    cache: Path | None
    fp16: bool
    max_batch: int
    max_side: int


def tensorrt_cache(settings: TensorrtSettings, model: ModelFile, key: Sequence[str]) -> Path | None:
    """Return the folder of a model's engines: one per weights, GPU, versions and settings.

    Args:
        settings: how engines are built.
        model: the network.
        key: name and capability of the GPU, versions of libraries.
    """
    if settings.cache is None:
        return None
    precision = "fp16" if settings.fp16 else "fp32"
    shapes = f"b{settings.max_batch}-s{settings.max_side}"
    words = [*key, precision, shapes]
    name = "_".join(re.sub(r"[^A-Za-z0-9.]+", "-", word) for word in words)
    return settings.cache / (model.sha256[:16] or model.path.stem) / name


def tensorrt_options(
    settings: TensorrtSettings, folder: Path | None, inputs: Sequence[TensorSpec]
) -> ProviderOptions:
    """Return the options of TensorRT's provider.

    Args:
        settings: how engines are built.
        folder: where this model's engines are kept; None: nowhere.
        inputs: the network's inputs.
    """
    options = {"trt_fp16_enable": str(settings.fp16)} | _profiles(settings, inputs)
    if folder is None:
        return options
    return options | {
        "trt_engine_cache_enable": "True",
        "trt_engine_cache_path": str(folder),
        "trt_timing_cache_enable": "True",
        "trt_timing_cache_path": str(folder),
    }


def largest_shapes(
    settings: TensorrtSettings, inputs: Sequence[TensorSpec]
) -> Mapping[str, tuple[int, ...]]:
    """Return the largest shape of each input that has free axes, by name."""
    return {
        tensor.name: _axes(tensor, settings.max_batch, settings.max_side)
        for tensor in _free(inputs)
    }


def _profiles(settings: TensorrtSettings, inputs: Sequence[TensorSpec]) -> ProviderOptions:
    """Return least, usual and largest shapes of inputs that have free axes."""
    free = _free(inputs)
    if not free:
        return {}
    bounds = {
        "trt_profile_min_shapes": (1, 32),
        "trt_profile_opt_shapes": (min(8, settings.max_batch), min(640, settings.max_side)),
        "trt_profile_max_shapes": (settings.max_batch, settings.max_side),
    }
    return {
        option: ",".join(_shape(tensor, batch, side) for tensor in free)
        for option, (batch, side) in bounds.items()
    }


def _free(inputs: Sequence[TensorSpec]) -> list[TensorSpec]:
    return [tensor for tensor in inputs if None in tensor.shape]


def _shape(tensor: TensorSpec, batch: int, side: int) -> str:
    return f"{tensor.name}:{'x'.join(map(str, _axes(tensor, batch, side)))}"


def _axes(tensor: TensorSpec, batch: int, side: int) -> tuple[int, ...]:
    return tuple(axis or (side if place else batch) for place, axis in enumerate(tensor.shape))


def provider_list(
    choice: Choice, tensorrt: ProviderOptions | None = None, *, cuda_graphs: bool = False
) -> Providers:
    """Return the providers to ask for, the wanted one first, with their options."""
    cuda: tuple[str, ProviderOptions] = (CUDA, {"cudnn_conv_algo_search": "HEURISTIC"})
    if cuda_graphs:
        cuda[1]["enable_cuda_graph"] = "1"
    chains: Mapping[str, Providers] = {
        "cpu": [],
        "cuda": [cuda],
        "tensorrt": [(TENSORRT, tensorrt or {}), cuda],
    }
    return [*chains[choice.device], (CPU, {})]
