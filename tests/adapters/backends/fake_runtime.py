"""A stand-in for ONNX Runtime, where a GPU would be needed."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs

from facecv.adapters.backends.gpu import Gpu
from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from facecv.adapters.backends.placement import RECORD
from facecv.adapters.backends.providers import CPU, CUDA, TENSORRT, GpuSettings
from facecv.adapters.backends.transfers import PlainTransfers
from facecv.core.pack import ModelFile
from facecv.core.ports.inference_backend import SessionOptions

H100 = Gpu("NVIDIA H100", "9.0")


@attrs.define
class FakeRuntime:
    """Stands in for the package ``onnxruntime``.

    Attributes:
        offered: providers that the build claims to have.
        working: providers that sessions really get.
        failure: raised by every session that asks for more than the CPU.
        assigned: provider to the operators that it gets; None: the build does not tell.
        uncapturable: whether sessions with CUDA graphs are refused.
        loading: called while a session that asks for more than the CPU is made.
        made: keyword arguments of all sessions.
    """

    offered: tuple[str, ...]
    working: tuple[str, ...]
    failure: Exception | None = None
    assigned: Mapping[str, Sequence[str]] | None = None
    uncapturable: bool = False
    loading: Callable[[], object] = int
    made: list[dict[str, Any]] = attrs.field(factory=list)
    preloaded: int = 0
    ExecutionMode: Any = attrs.field(factory=lambda: SimpleNamespace(ORT_SEQUENTIAL=0))
    __version__: str = "1.31.0"

    def get_available_providers(self) -> list[str]:
        return list(self.offered)

    def preload_dlls(self) -> None:
        self.preloaded += 1

    def SessionOptions(self) -> Any:  # noqa: N802 - the library's name
        entries: dict[str, str] = {}
        return SimpleNamespace(entries=entries, add_session_config_entry=entries.__setitem__)

    def InferenceSession(self, path: str, **arguments: Any) -> Any:  # noqa: N802
        self.made.append({"path": path, **arguments})
        if arguments["providers"] != [CPU]:
            self.loading()
        if self.failure and arguments["providers"] != [CPU]:
            raise self.failure
        if self.uncapturable and "enable_cuda_graph" in arguments["provider_options"][0]:
            raise RuntimeError("graph capture: not all nodes are on the provider")
        got = [name for name in arguments["providers"] if name in self.working]
        axes = SimpleNamespace(name="x", shape=["N", 3, 112, 112], type="tensor(float)")
        session = SimpleNamespace(
            get_providers=lambda: got, get_inputs=lambda: [axes], get_outputs=list
        )
        if self.assigned is not None:
            recorded = arguments["sess_options"].entries.get(RECORD) == "1"
            session.get_provider_graph_assignment_info = self._subgraphs if recorded else None
        return session

    def _subgraphs(self) -> list[Any]:
        return [
            SimpleNamespace(ep_name=name, get_nodes=lambda one=op: [SimpleNamespace(op_type=one)])
            for name, ops in (self.assigned or {}).items()
            for op in ops
        ]


ALL = (TENSORRT, CUDA, CPU)


def backend(
    runtime: FakeRuntime,
    *,
    gpus: tuple[Gpu, ...] = (H100,),
    cache: Path | None = None,
    settings: GpuSettings | None = None,
) -> OnnxRuntimeBackend:
    """Return a backend over a stand-in, on a machine with these GPUs."""
    return OnnxRuntimeBackend(
        engine_cache=cache,
        gpu=settings,
        runtime=lambda: runtime,
        gpus=lambda: gpus,
        transfers=lambda _: PlainTransfers(),
    )


def built(runtime: FakeRuntime, model: ModelFile, cache: Path) -> Path:
    """Return the folder of the engine that was built or found."""
    backend(runtime, cache=cache).load(model, SessionOptions(device="tensorrt"))
    return Path(runtime.made[-1]["provider_options"][0]["trt_engine_cache_path"])
