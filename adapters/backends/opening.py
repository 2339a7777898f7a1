"""Opening one network with ONNX Runtime, and turning its failures into ours."""

import contextlib
import io
import re
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import attrs
import structlog

from facecv.adapters.backends.bound import BoundRuns, CapturedRuns
from facecv.adapters.backends.bytewise import taking_bytes
from facecv.adapters.backends.gpu import missing_libraries, preload_tensorrt
from facecv.adapters.backends.one_thread import OneThread
from facecv.adapters.backends.placement import RECORD, check_placement
from facecv.adapters.backends.prepared import PreparedNetworks, Source
from facecv.adapters.backends.providers import Choice, GpuSettings, Providers, unavailable
from facecv.adapters.backends.session import OnnxSession, Run, limited, unbound
from facecv.adapters.backends.transfers import Transfers, find_transfers
from facecv.core.cpu_budget import available_cores
from facecv.core.errors import FaceCVError, ModelError
from facecv.core.pack import ModelFile
from facecv.core.ports.inference_backend import Device, SessionOptions

_ERRORS_ONLY = 3
_SPINS = "session.intra_op.allow_spinning"
_SPIN_TIME = "session.intra_op.spin_duration_us"
_LIMITED_SPINNING = (1, 26)
"""Version of ONNX Runtime from which spinning can be limited in time."""

_SPIN_MICROSECONDS = "200"
"""Longer than between two operators, too short to be in the way of what follows a run."""

_SMALL_BYTES = 5_000_000
"""Of the file of a network whose runs are short enough on one thread."""

_FILE_FAULTS = {"InvalidProtobuf", "InvalidGraph", "NoModel", "NoSuchFile", "NotImplemented"}


@attrs.frozen(eq=False)
class Opener:
    """What it takes to open a network, whatever it then runs on.

    Attributes:
        runtime: the package ``onnxruntime``.
        model: the network.
        options: how the caller wants it loaded.
        spinning: whether idle threads of a run look out for work for a moment before they sleep,
            where no other runs are expected at the same time.
        prepared: networks that are ready for the CPU; None: they are loaded as they are.
        gpu: how networks run on a GPU.
        thread: does all that touches the network; None: whoever runs it does.
        largest: the largest shape of inputs by name; those that are not named may have any.
        transfers: returns what copies to and from a GPU.
    """

    runtime: Any
    model: ModelFile
    options: SessionOptions
    spinning: bool = attrs.field(kw_only=True)
    prepared: PreparedNetworks | None = attrs.field(default=None, kw_only=True)
    gpu: GpuSettings = attrs.field(factory=GpuSettings, kw_only=True)
    thread: OneThread | None = attrs.field(default=None, kw_only=True)
    largest: Mapping[str, tuple[int, ...]] = attrs.field(factory=dict, kw_only=True)
    transfers: Callable[[Any], Transfers] = attrs.field(default=find_transfers, kw_only=True)

    def open(self, choice: Choice, providers: Providers) -> OnnxSession:
        """Return the network, running on the provider of `choice`.

        Raises:
            DeviceUnavailableError: it would not run there; says why.
            PlacementError: operators that take time would not run there.
            ModelError: the file is not a network.
        """
        try:
            session = (
                self._prepared(choice)
                or self._bytewise(choice, providers)
                or self._loaded(str(self.model.path), choice, providers)
            )
        except Exception as error:  # the library's errors have no common root
            raise self._failure(error, choice) from error
        if session.get_providers()[0] != choice.provider:
            raise unavailable(choice.device, _reason(choice, self.runtime))
        opened = OnnxSession(
            session, limited(self._run(session, choice), self.largest), self.thread
        )
        if choice.device != "cpu":
            self._look_at(opened, choice)
        return opened

    def _loaded(self, network: str | bytes, choice: Choice, providers: Providers) -> Any:  # noqa: ANN401
        """Return a session for a network, by the path of its file or its content."""
        return self.runtime.InferenceSession(
            network,
            sess_options=self._settings(choice),
            providers=[name for name, _ in providers],
            provider_options=[options for _, options in providers],
            enable_fallback=0,
        )

    def _bytewise(self, choice: Choice, providers: Providers) -> Any:  # noqa: ANN401
        """Return a session for the network as it takes bytes, if it is to and can."""
        if self.options.pixels is None or choice.device == "cpu":
            return None
        network = taking_bytes(self.model, self.options.pixels)
        if network is None:
            return None
        try:
            return self._loaded(network, choice, providers)
        except Exception as error:  # noqa: BLE001 - the library's errors have no common root
            words = str(error).strip().partition("\n")[0]
            _log().warning("pixels not normalised there", model=self.model.spec.name, why=words)
            return None

    def _run(self, session: Any, choice: Choice) -> Run:  # noqa: ANN401 - no types
        """Return how to run a session."""
        graphs = choice.device == "cuda" and self.gpu.cuda_graphs
        if graphs or (choice.device != "cpu" and self.gpu.io_binding):
            runs = BoundRuns(self.runtime, session, transfers=self.transfers(self.runtime))
            return CapturedRuns(runs) if graphs else runs
        return unbound(session)

    def _look_at(self, opened: OnnxSession, choice: Choice) -> None:
        """Log how much of a network the GPU runs; raise `PlacementError` if that is too little."""
        placement = opened.placement
        _log().info(
            "network placed",
            model=self.model.spec.name,
            device=choice.device,
            share=round(placement.share, 3) if placement else "ONNX Runtime before 1.24: not known",
            elsewhere=dict(placement.elsewhere) if placement else {},
        )
        if placement and not self.gpu.allow_cpu_nodes:
            check_placement(self.model, choice, placement)

    def _prepared(self, choice: Choice) -> Any:  # noqa: ANN401 - the library has no types
        """Return a session for the network as it was prepared for the CPU, if it can be had."""
        if self.prepared is None or choice.device != "cpu":
            return None
        settings = partial(self._settings, choice)
        return self.prepared.session(Source(self.runtime, self.model, settings))

    def _settings(self, choice: Choice) -> Any:  # noqa: ANN401 - the library has no types
        settings = self.runtime.SessionOptions()
        settings.intra_op_num_threads = self.options.threads or self._threads(choice)
        settings.inter_op_num_threads = 1
        settings.execution_mode = self.runtime.ExecutionMode.ORT_SEQUENTIAL
        settings.log_severity_level = _ERRORS_ONLY
        for name, value in self._waiting().items():
            settings.add_session_config_entry(name, value)
        if choice.device != "cpu":
            settings.add_session_config_entry(RECORD, "1")
        return settings

    def _threads(self, choice: Choice) -> int:
        """Return how many threads one run has.

        Where others run at the same time, splitting a small network costs a tenth of the
        throughput: its threads wait for one another after each operator. A large one is split all
        the same, or whoever comes alone would wait for it several times as long.
        """
        small = self.model.path.stat().st_size <= _SMALL_BYTES
        return 1 if choice.device == "cpu" and self.options.crowded and small else available_cores()

    def _waiting(self) -> Mapping[str, str]:
        """Return how idle threads wait for work.

        A run of a small network is over in a few milliseconds and has a hundred operators; waking
        a thread for each costs a fifth of it. ONNX Runtime before 1.26 would go on for some fifty
        milliseconds after a run, at the cost of whoever comes next.
        """
        spins = self.spinning and not self.options.crowded
        if spins and _version(self.runtime) >= _LIMITED_SPINNING:
            return {_SPINS: "1", _SPIN_TIME: _SPIN_MICROSECONDS}
        return {_SPINS: "0"}

    def _failure(self, error: Exception, choice: Choice) -> FaceCVError:
        """Return our error for one of the library's."""
        words = str(error).strip().partition("\n")[0]
        if choice.device == "cpu" or type(error).__name__ in _FILE_FAULTS:
            return ModelError(
                f"{self.model.path} cannot be loaded as an ONNX network: {words}",
                hint="the file may be damaged: check it with 'facecv models verify'",
            )
        return unavailable(choice.device, f"{words} {_reason(choice, self.runtime)}")


def preload(runtime: Any, device: Device) -> None:  # noqa: ANN401 - the library has no types
    """Load the CUDA (and TensorRT) libraries of pip packages, where they are installed."""
    if hasattr(runtime, "preload_dlls"):
        with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does not find
            runtime.preload_dlls()
    if device == "tensorrt":
        preload_tensorrt()


def _version(runtime: Any) -> tuple[int, ...]:  # noqa: ANN401 - the library has no types
    """Return major and minor version."""
    return tuple(int(part) for part in re.findall(r"\d+", str(runtime.__version__))[:2])


def _libraries(device: Device, cuda_version: str) -> list[str]:
    """Return the shared libraries that a device needs, as the loader of Linux knows them."""
    if sys.platform != "linux":
        return []
    names = ["libnvinfer.so.10", "libnvonnxparser.so.10"] if device == "tensorrt" else []
    major = cuda_version.partition(".")[0]
    if major:
        names += [f"libcudart.so.{major}", f"libcublasLt.so.{major}"]
    return [*names, "libcudnn.so.9"]


def _reason(choice: Choice, runtime: Any) -> str:  # noqa: ANN401 - the library has no types
    """Return why ONNX Runtime may have left out a provider that its build has."""
    cuda_version = str(getattr(runtime, "cuda_version", None) or "")
    missing = missing_libraries(_libraries(choice.device, cuda_version))
    if missing:
        return f"a library cannot be loaded: {'; '.join(missing)}"
    return (
        f"ONNX Runtime left out {choice.provider}; the driver may be too old for its CUDA version"
    )


def _log() -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger()
    return logger
