"""Networks on ONNX Runtime: CPU, CUDA and TensorRT."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import structlog
from numpy.typing import NDArray

from facecv.adapters.backends.conversion import convert
from facecv.adapters.backends.engines import open_engine
from facecv.adapters.backends.gpu import Gpu, find_gpus
from facecv.adapters.backends.one_thread import OneThread
from facecv.adapters.backends.opening import Opener, preload
from facecv.adapters.backends.prepared import PreparedNetworks
from facecv.adapters.backends.providers import (
    CPU,
    DEVICES,
    TENSORRT,
    Choice,
    GpuSettings,
    Machine,
    TensorrtSettings,
    choose,
    find_obstacle,
    provider_list,
)
from facecv.adapters.backends.runtime_check import installed_runtimes, load_runtime
from facecv.adapters.backends.session import OnnxSession
from facecv.adapters.backends.transfers import Transfers, find_transfers
from facecv.core.cpu_budget import available_cores
from facecv.core.errors import (
    BackendError,
    DeviceUnavailableError,
    ModelNotFoundError,
    PlacementError,
)
from facecv.core.pack import ModelFile
from facecv.core.ports.inference_backend import Device, SessionOptions
from facecv.core.ports.model_converter import Precision


class OnnxRuntimeBackend:
    """Loads networks with ONNX Runtime."""

    def __init__(
        self,
        *,
        engine_cache: Path | None = None,
        graph_cache: Path | None = None,
        spinning: bool = True,
        gpu: GpuSettings | None = None,
        runtime: Callable[[], Any] = load_runtime,
        gpus: Callable[[], tuple[Gpu, ...]] = find_gpus,
        transfers: Callable[[Any], Transfers] = find_transfers,
    ) -> None:
        """Say how networks are to be loaded; nothing is imported before the first is.

        Args:
            engine_cache: folder of TensorRT engines; without it they are built anew each time.
            graph_cache: folder of networks rewritten and optimised for the CPU; without it they are
                loaded as they are.
            spinning: whether idle threads of a run look out for work for a moment before they
                sleep, where no other runs are expected at the same time.
            gpu: how networks run on a GPU.
            runtime: returns the package ``onnxruntime``.
            gpus: returns the GPUs that this process may use.
            transfers: returns what copies to and from them, by the package ``onnxruntime``.
        """
        self._engine_cache = engine_cache
        self._prepared = PreparedNetworks(graph_cache) if graph_cache else None
        self._spinning = spinning
        self._gpu = gpu or GpuSettings()
        self._thread = OneThread()
        self._find_transfers = transfers
        self._transfers: Transfers | None = None
        self._runtime = runtime
        self._gpus = gpus

    def load(self, model: ModelFile, options: SessionOptions, /) -> OnnxSession:
        """Return the network, loaded on the device that `options` asks for.

        Raises:
            RuntimeMissingError: ONNX Runtime is not installed.
            RuntimeConflictError: several distributions of it are installed.
            DeviceUnavailableError: the device cannot be had; says why.
            PlacementError: the device would leave operators that take time to the CPU.
            ModelError: the file is missing or not a network.
        """
        runtime = self._runtime()
        if not model.path.is_file():
            raise ModelNotFoundError(f"there is no model file {model.path}")
        machine = self._machine(runtime, options.device)
        choice = choose(options.device, machine)
        opener = self._opener(runtime, model, options)
        try:
            session = self._open(opener, choice, machine)
        except (DeviceUnavailableError, PlacementError) as error:
            if options.device != "auto":
                raise
            choice = Choice("cpu", error.message)
            session = self._open(opener, choice, machine)
        if options.device == "auto":
            _log().info("device chosen", device=choice.device, reason=choice.reason)
        return session

    def describe(self) -> dict[str, object]:
        """Return facts about this installation, for people who look for a fault.

        Never raises: what keeps ONNX Runtime from working stands under ``problem``.
        """
        gpus = self._gpus()
        facts: dict[str, object] = {
            "distributions": installed_runtimes(),
            "cores": available_cores(),
            "gpus": [f"{gpu.name} ({gpu.capability})" for gpu in gpus],
        }
        try:
            runtime = self._runtime()
        except BackendError as error:
            return facts | {"problem": str(error)}
        machine = Machine(tuple(runtime.get_available_providers()), gpus)
        return facts | {
            "version": str(runtime.__version__),
            "providers": list(machine.providers),
            "devices": {name: find_obstacle(name, machine) or "available" for name in DEVICES},
        }

    def convert(
        self,
        model: ModelFile,
        precision: Precision,
        runs: Sequence[Mapping[str, NDArray[Any]]],
        target: Path,
        /,
    ) -> None:
        """Write a variant of a network; see `ModelConverter`."""
        self._runtime()  # tells what is wrong with the installation
        convert(model, precision, runs, target)

    def caches(self) -> Mapping[str, Path]:
        """Return the folders where what is made of networks is kept, by what runs them."""
        folders = {
            CPU: self._prepared.folder if self._prepared else None,
            TENSORRT: self._engine_cache,
        }
        return {provider: folder for provider, folder in folders.items() if folder}

    def _opener(
        self,
        runtime: Any,  # noqa: ANN401 - the library has no types
        model: ModelFile,
        options: SessionOptions,
    ) -> Opener:
        return Opener(
            runtime,
            model,
            options,
            spinning=self._spinning,
            prepared=self._prepared,
            gpu=self._gpu,
            transfers=self._shared_transfers,
        )

    def _shared_transfers(self, runtime: Any) -> Transfers:  # noqa: ANN401 - no types
        """Return what copies for all networks, so that they share page-locked memory."""
        if self._transfers is None:
            self._transfers = self._find_transfers(runtime)
        return self._transfers

    def _machine(self, runtime: Any, device: Device) -> Machine:  # noqa: ANN401 - no types
        """Return what the choice depends on; for the CPU no driver is asked."""
        gpus = () if device == "cpu" else self._gpus()
        return Machine(tuple(runtime.get_available_providers()), gpus)

    def _open(self, opener: Opener, choice: Choice, machine: Machine) -> OnnxSession:
        if choice.device != "cpu":
            preload(opener.runtime, choice.device)
        if choice.device == "tensorrt":
            batch, gpu = opener.options.max_batch, self._gpu
            settings = TensorrtSettings(self._engine_cache, gpu.fp16, batch, gpu.max_side)
            return open_engine(opener, choice, settings, machine.gpus[0])
        if choice.device == "cuda" and self._gpu.cuda_graphs:
            return self._thread(partial(self._open_captured, opener, choice))
        return opener.open(choice, provider_list(choice))

    def _open_captured(self, opener: Opener, choice: Choice) -> OnnxSession:
        """Return the network with CUDA graphs, or without where it cannot be recorded."""
        opener = attrs.evolve(opener, thread=self._thread)
        try:
            return opener.open(choice, provider_list(choice, cuda_graphs=True))
        except DeviceUnavailableError as error:
            _log().warning(
                "network runs without CUDA graphs",
                model=opener.model.spec.name,
                why=error.details["reason"],
            )
        plain = attrs.evolve(opener, gpu=attrs.evolve(self._gpu, cuda_graphs=False))
        return plain.open(choice, provider_list(choice))


def _log() -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger()
    return logger
