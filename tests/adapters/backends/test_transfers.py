"""Copies through page-locked memory, on ordinary memory: its functions are stood in for."""

import ctypes
import gc
import threading
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import onnxruntime
import pytest
from structlog.testing import capture_logs

from facecv.adapters.backends.bound import BoundRuns, CapturedRuns
from facecv.adapters.backends.cuda_runtime import CudaError, CudaRuntime, load_cuda_runtime
from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from facecv.adapters.backends.transfers import PinnedTransfers, PlainTransfers, find_transfers
from facecv.core.pack import InputSpec, ModelFile
from facecv.core.ports.inference_backend import SessionOptions
from tests import graphs
from tests.adapters.backends.test_bound import rows, session_of

OUT_OF_MEMORY = 2


class Function:
    """A function of a library; takes the types that ctypes wants to be told."""

    def __init__(self, body: Callable[..., Any]) -> None:
        self._body = body
        self.argtypes: Any = None
        self.restype: Any = None

    def __call__(self, *args: Any) -> Any:
        assert self.argtypes is not None
        assert len(args) == len(self.argtypes)
        return self._body(*args)


@attrs.define(eq=False, slots=False)
class FakeLibrary:
    """CUDA's runtime library on ordinary memory.

    Copies are made when they are waited for, so that whoever does not wait sees old content.

    Attributes:
        limit: bytes that may be locked in all.
        held: address to the memory that is locked.
        pending: copies that were begun, with the thread that did.
        copied: kinds of all copies: 1 to the GPU, 2 from it.
        errors: whether an error is waiting to be taken for somebody else's.
    """

    limit: int = 1 << 30
    held: dict[int, Any] = attrs.field(factory=dict)
    pending: list[tuple[int, int, int, int]] = attrs.field(factory=list)
    copied: list[int] = attrs.field(factory=list)
    errors: int = 0
    broken: int = 0

    def __attrs_post_init__(self) -> None:
        self.cudaHostAlloc = Function(self._allocate)
        self.cudaFreeHost = Function(lambda address: 0 if self.held.pop(address) else 1)
        self.cudaMemcpyAsync = Function(self._copy)
        self.cudaStreamSynchronize = Function(self._wait)
        self.cudaGetLastError = Function(self._take_error)
        self.cudaGetErrorString = Function(lambda code: f"error number {code}".encode())

    def _allocate(self, address: Any, size: int, flags: int) -> int:
        assert flags == 1
        if size + sum(map(len, self.held.values())) > self.limit:
            self.errors = OUT_OF_MEMORY
            return OUT_OF_MEMORY
        memory = (ctypes.c_char * size)()
        self.held[ctypes.addressof(memory)] = memory
        address._obj.value = ctypes.addressof(memory)
        return 0

    def _copy(self, target: int, source: int, size: int, kind: int, stream: int) -> int:
        assert stream == 2
        assert self._is_locked(source if kind == 1 else target, size)
        self.copied.append(kind)
        self.pending.append((threading.get_ident(), target, source, size))
        return self.broken

    def _wait(self, stream: int) -> int:
        assert stream == 2
        for thread, target, source, size in list(self.pending):
            if thread == threading.get_ident():
                ctypes.memmove(target, source, size)
                self.pending.remove((thread, target, source, size))
        return 0

    def _take_error(self) -> int:
        self.errors, error = 0, self.errors
        return error

    def _is_locked(self, address: int, size: int) -> bool:
        return any(
            start <= address and address + size <= start + len(memory)
            for start, memory in self.held.items()
        )


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary()


@pytest.fixture
def transfers(library: FakeLibrary) -> PinnedTransfers:
    return PinnedTransfers(CudaRuntime(library), "cpu")


@pytest.fixture
def doubler(tmp_path: Any) -> ModelFile:
    return graphs.doubler(tmp_path)


def recorded(*given: Any) -> CapturedRuns:
    return CapturedRuns(BoundRuns(*given))


@pytest.mark.parametrize("kind", [BoundRuns, recorded])
class TestRuns:
    def test_go_through_locked_memory(
        self, kind: Any, doubler: ModelFile, transfers: PinnedTransfers, library: FakeLibrary
    ) -> None:
        """Both ways; what was answered is not written over by the next run."""
        run = kind(onnxruntime, session_of(doubler), "cpu", transfers)
        first = run(rows(2))[0]
        second = run(rows(2, 5))[0]
        assert (first.tolist(), second.tolist()) == ([[2, 2]] * 2, [[10, 10]] * 2)
        assert set(library.copied) == {1, 2}

    def test_that_get_none_are_answered_all_the_same(
        self, kind: Any, doubler: ModelFile, transfers: PinnedTransfers, library: FakeLibrary
    ) -> None:
        """The log says so once, and ONNX Runtime does not find an error that is not its own."""
        library.limit = 1024
        run = kind(onnxruntime, session_of(doubler), "cpu", transfers)
        assert run(rows(8))[0].max() == 2
        with capture_logs() as logs:
            answers = [run(rows(count, 3))[0] for count in (900, 900, 8)]
        assert [answer.max() for answer in answers] == [6, 6, 6]
        assert [entry["why"] for entry in logs] == ["error number 2 (CUDA error 2)"]
        assert library.errors == 0


class TestSeveral:
    def test_inputs_and_outputs(self, tmp_path: Any, transfers: PinnedTransfers) -> None:
        """Each has its own part of the memory."""
        model = graphs.adder(tmp_path, {"x": "FLOAT", "y": "FLOAT"})
        run = BoundRuns(onnxruntime, session_of(model), "cpu", transfers)
        x, y = np.full((3, 2), 1, np.float32), np.full((3, 2), 7, np.float32)
        assert (run({"x": x, "y": y})[0] == 8).all()
        model = graphs.scrfd(tmp_path)
        picture = np.random.default_rng(0).normal(size=(1, 3, 64, 96)).astype(np.float32)
        session = session_of(model)
        outputs = BoundRuns(onnxruntime, session, "cpu", transfers)({"input.1": picture})
        for one, other in zip(outputs, session.run(None, {"input.1": picture}), strict=True):
            np.testing.assert_array_equal(one, other)

    def test_threads_have_memory_of_their_own(
        self, doubler: ModelFile, transfers: PinnedTransfers, library: FakeLibrary
    ) -> None:
        """It goes with the thread."""
        run = BoundRuns(onnxruntime, session_of(doubler), "cpu", transfers)
        run(rows(2))
        thread = threading.Thread(target=lambda: seen.append(run(rows(3, 4))[0].max()))
        seen: list[float] = []
        before = len(library.held)
        thread.start()
        thread.join()
        gc.collect()
        assert seen == [8]
        assert len(library.held) == before == 1

    def test_more_takes_the_place_of_less(
        self, doubler: ModelFile, transfers: PinnedTransfers, library: FakeLibrary
    ) -> None:
        """No thread holds more than one piece."""
        run = BoundRuns(onnxruntime, session_of(doubler), "cpu", transfers)
        for count in (1, 100, 10_000, 10):
            assert run(rows(count))[0].shape == (count, 2)
        assert list(map(len, library.held.values())) == [80_128]

    def test_nothing_is_copied_too(self, doubler: ModelFile, transfers: PinnedTransfers) -> None:
        """Outputs without rows are outputs."""
        run = BoundRuns(onnxruntime, session_of(doubler), "cpu", transfers)
        assert run(rows(0))[0].shape == (0, 2)

    def test_bytes_and_views(self, doubler: ModelFile, transfers: PinnedTransfers) -> None:
        """Whatever lies in memory in another order is put in order on the way."""
        run = BoundRuns(onnxruntime, session_of(doubler), "cpu", transfers)
        array = np.arange(8, dtype=np.float32).reshape(2, 4).T
        np.testing.assert_array_equal(run({"x": array})[0], 2 * array)


class TestFailures:
    def test_of_a_copy_are_told(self, doubler: ModelFile, library: FakeLibrary) -> None:
        """A copy that fails is no answer."""
        library.broken = 700
        transfers = PinnedTransfers(CudaRuntime(library), "cpu")
        run = BoundRuns(onnxruntime, session_of(doubler), "cpu", transfers)
        with pytest.raises(CudaError, match="CUDA error 700"):
            run(rows(1))

    def test_no_library(self) -> None:
        """Networks run without, and the log says why."""
        with pytest.raises(CudaError, match="cudart"):
            load_cuda_runtime("0.1")

        class Runtime:
            cuda_version = "0.1"

        with capture_logs() as logs:
            assert isinstance(find_transfers(Runtime()), PlainTransfers)
        assert "page-locked" in logs[0]["event"]


@pytest.mark.gpu
def test_on_a_gpu(tmp_path: Any) -> None:
    """There is page-locked memory, and bytes that the GPU normalises give the CPU's answer."""
    devices = OnnxRuntimeBackend().describe().get("devices")
    if not isinstance(devices, dict) or devices["cuda"] != "available":
        pytest.skip("no GPU, or no CUDA build of ONNX Runtime")
    model = graphs.scrfd(tmp_path, size=("h", "w"))
    spec = InputSpec(std=128.0)
    pixels = np.random.default_rng(0).integers(0, 256, (1, 3, 96, 64), dtype=np.uint8)
    with capture_logs() as logs:
        gpu = OnnxRuntimeBackend().load(model, SessionOptions(device="cuda", pixels=spec))
        answers = [gpu.run({"input.1": pixels}) for _ in range(3)]
    assert not [entry for entry in logs if entry["log_level"] == "warning"]
    assert gpu.inputs[0].dtype == "uint8"
    floats = ((pixels.astype(np.float64) - 127.5) / 128).astype(np.float32)
    cpu = OnnxRuntimeBackend().load(model, SessionOptions(device="cpu"))
    for outputs in answers:
        for one, other in zip(outputs, cpu.run({"input.1": floats}), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)
