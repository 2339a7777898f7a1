"""Networks on OpenVINO: CPUs, often faster than ONNX Runtime.

Free axes stay free: OpenVINO makes kernels for a shape when it first comes, and keeps them for all
threads. A new number of crops costs w600k_mbf the time of two to four crops, once; after that,
batches of 1 to 9 in turn take as long for each crop as batches of one size (13.2 and 13.1 ms of
processor time). So batches are neither padded nor split.
"""

import importlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

from facecv.adapters.backends.openvino_session import OpenVinoSession
from facecv.core.cpu_budget import available_cores
from facecv.core.errors import (
    BackendError,
    DeviceUnavailableError,
    ModelError,
    ModelNotFoundError,
    RuntimeMissingError,
)
from facecv.core.pack import InputSpec, ModelFile
from facecv.core.ports.inference_backend import SessionOptions

Precision = Literal["f32", "bf16", "f16"]


def load_openvino() -> Any:  # noqa: ANN401 - the library has no types
    """Return the package ``openvino``, imported.

    Raises:
        RuntimeMissingError: it is not installed, or cannot be imported.
    """
    try:
        return importlib.import_module("openvino")
    except ImportError as error:
        raise RuntimeMissingError(
            f"OpenVINO cannot be imported: {error}", hint="run: pip install 'facecv[openvino]'"
        ) from error


class OpenVinoBackend:
    """Loads networks with OpenVINO, for the CPU."""

    def __init__(
        self,
        *,
        cache_dir: Path | None = None,
        precision: Precision = "f32",
        pinning: bool = False,
        runtime: Callable[[], Any] = load_openvino,
    ) -> None:
        """Say how networks are to be loaded; nothing is imported before the first is.

        Args:
            cache_dir: folder of compiled networks; without it they are compiled each time.
            precision: of the arithmetic; less than ``f32`` is faster on processors that have it.
            pinning: whether threads are tied to cores.
            runtime: returns the package ``openvino``.
        """
        self._cache_dir = cache_dir
        self._precision = precision
        self._pinning = pinning
        self._runtime = runtime

    def load(self, model: ModelFile, options: SessionOptions, /) -> OpenVinoSession:
        """Return the network, compiled for the CPU.

        Raises:
            RuntimeMissingError: OpenVINO is not installed.
            DeviceUnavailableError: another device than the CPU is asked for.
            ModelError: the file is missing or not a network.
        """
        if options.device not in {"auto", "cpu"}:
            raise DeviceUnavailableError(
                f"device {options.device!r} cannot be used: OpenVINO runs networks on the CPU",
                hint="choose device 'cpu', or backend 'onnxruntime'",
                details={"device": options.device},
            )
        runtime = self._runtime()
        if not model.path.is_file():
            raise ModelNotFoundError(f"there is no model file {model.path}")
        try:
            core = runtime.Core()
            network = core.read_model(str(model.path))
            if options.pixels is not None:
                network = _normalising(runtime, network, options.pixels)
            settings = self._settings(options)
            return OpenVinoSession(partial(core.compile_model, network, "CPU", settings))
        except Exception as error:  # the library's errors have no common root
            raise ModelError(
                f"{model.path} cannot be loaded as an ONNX network: {last_line(error)}",
                hint="the file may be damaged: check it with 'facecv models verify'",
            ) from error

    def describe(self) -> dict[str, object]:
        """Return facts about this installation, for people who look for a fault.

        Never raises: what keeps OpenVINO from working stands under ``problem``.
        """
        facts: dict[str, object] = {"cores": available_cores()}
        try:
            runtime = self._runtime()
        except BackendError as error:
            return facts | {"problem": str(error)}
        core = runtime.Core()
        precisions = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        return facts | {
            "version": str(runtime.__version__),
            "processor": str(core.get_property("CPU", "FULL_DEVICE_NAME")),
            "precisions": [str(name).lower() for name in precisions],
        }

    def caches(self) -> Mapping[str, Path]:
        """Return the folders where compiled networks are kept, by what runs them."""
        return {"OpenVINO CPU": self._cache_dir} if self._cache_dir else {}

    def _settings(self, options: SessionOptions) -> dict[str, Any]:
        """Return the properties of a compiled network: one run at a time, as quick as it can be."""
        settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": options.threads or available_cores(),
            "INFERENCE_PRECISION_HINT": self._precision,
            "ENABLE_CPU_PINNING": self._pinning,
        }
        if self._cache_dir is not None:
            settings["CACHE_DIR"] = str(self._cache_dir)
        return settings


def _normalising(runtime: Any, network: Any, spec: InputSpec) -> Any:  # noqa: ANN401 - no types
    """Return a network that takes bytes and normalises them; as it is unless it takes floats, once.

    That saves a detector three or four hundredths of its time (see the README beside this file).
    """
    if len(network.inputs) != 1 or network.input(0).get_element_type() != runtime.Type.f32:
        return network
    processor = runtime.preprocess.PrePostProcessor(network)
    processor.input().tensor().set_element_type(runtime.Type.u8)
    steps = processor.input().preprocess().convert_element_type(runtime.Type.f32)
    steps.mean(spec.mean).scale(spec.std)
    return processor.build()


def last_line(error: Exception) -> str:
    """Return what an error of the library says; its first lines name places in its source."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
