"""Runs with buffers that stay, on ONNX Runtime itself: its bindings take the CPU for a device."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from facecv.adapters.backends.bound import BoundRuns, CapturedRuns
from facecv.adapters.backends.one_thread import OneThread
from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from facecv.adapters.backends.providers import CPU
from facecv.adapters.backends.session import OnnxSession
from facecv.core.pack import ModelFile
from facecv.core.ports.inference_backend import SessionOptions
from facecv.plugins.contracts.inference_backend import InferenceBackendContract
from tests import graphs

Make = Callable[[Any], Any]


def bound(session: Any) -> BoundRuns:
    return BoundRuns(onnxruntime, session, "cpu")


def captured(session: Any) -> CapturedRuns:
    return CapturedRuns(bound(session))


class Backend:
    """Loads networks that run with buffers."""

    def __init__(self, make: Make) -> None:
        self._make = make

    def load(self, model: ModelFile, options: SessionOptions, /) -> OnnxSession:
        OnnxRuntimeBackend().load(model, options).close()  # refuses what is no network
        session = session_of(model)
        return OnnxSession(session, self._make(session), OneThread())


def session_of(model: ModelFile) -> Any:
    return onnxruntime.InferenceSession(str(model.path), providers=[CPU])


@pytest.mark.parametrize("make", [bound, captured])
class TestContract(InferenceBackendContract):
    """What the contract asks for holds with buffers too."""

    @pytest.fixture
    def backend(self, make: Make) -> Backend:
        return Backend(make)

    @pytest.fixture
    def doubler(self, tmp_path: Path) -> ModelFile:
        return graphs.doubler(tmp_path)


class Spy:
    """A session that notes its bindings and options, and does what the real one does."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.bindings: list[Any] = []
        self.graphs: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def run_with_iobinding(self, binding: Any, options: Any = None) -> None:
        self.bindings.append(binding)
        self.graphs.append(options.get_run_config_entry("gpu_graph_id") if options else "")
        self._session.run_with_iobinding(binding, options)


@pytest.fixture
def spy(tmp_path: Path) -> Spy:
    return Spy(session_of(graphs.doubler(tmp_path)))


def rows(count: int, value: float = 1) -> dict[str, Any]:
    return {"x": np.full((count, 2), value, np.float32)}


class TestBuffers:
    def test_are_used_again_for_one_shape(self, spy: Spy) -> None:
        """And others for another shape; what was answered stays as it is."""
        run = bound(spy)
        first = run(rows(2))[0]
        second = run(rows(2, 5))[0]
        run(rows(3))
        assert spy.bindings[0] is spy.bindings[1] is not spy.bindings[2]
        assert (first.max(), second.max()) == (2, 10)

    def test_of_many_shapes_are_let_go(self, spy: Spy) -> None:
        """The oldest first."""
        run = bound(spy)
        for count in (1, 2, 3, 4, 5, 1):
            assert run(rows(count))[0].shape == (count, 2)
        assert spy.bindings[-1] is not spy.bindings[0]

    def test_are_each_threads_own(self, spy: Spy) -> None:
        """Two threads never write into one buffer."""
        run = bound(spy)
        run(rows(2))
        with ThreadPoolExecutor(1) as pool:
            pool.submit(run, rows(2)).result()
        assert spy.bindings[0] is not spy.bindings[1]


class TestGraphs:
    def test_each_shape_has_its_own(self, spy: Spy) -> None:
        """A run that is not recorded comes first; then the same buffers under the same number."""
        run = captured(spy)
        values = {1.0: 2, 2.0: 2, 3.0: 3, 4.0: 2}
        answers = [run(rows(count, value))[0] for value, count in values.items()]
        assert spy.graphs == ["-1", "1", "1", "-1", "2", "1"]
        assert spy.bindings[1] is spy.bindings[2] is spy.bindings[5]
        assert [answer.max() for answer in answers] == [2, 4, 6, 8]

    def test_too_many_shapes_run_without(self, spy: Spy) -> None:
        """Graphs are not collected without end."""
        run = captured(spy)
        for count in range(1, 20):
            assert run(rows(count))[0].shape == (count, 2)
        assert spy.graphs[-3:] == ["-1", "-1", "-1"]
        assert max(map(int, spy.graphs)) == 16


class TestOneThread:
    def test_all_work_is_done_by_it(self, spy: Spy) -> None:
        """Whoever asks: recorded runs must not meet another thread's."""
        ran: list[int] = []

        def run(inputs: Any) -> Any:
            ran.append(threading.get_ident())
            return captured(spy)(inputs)

        session = OnnxSession(spy, run, OneThread())
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda count: session.run(rows(count))[0], range(1, 9)))
        assert [len(answer) for answer in answers] == list(range(1, 9))
        assert len(set(ran)) == 1
        assert threading.get_ident() not in ran

    def test_the_network_is_freed_by_it(self, spy: Spy) -> None:
        """Freeing memory of the GPU would spoil what is recorded meanwhile."""
        freed: list[str] = []

        class Run:
            def __call__(self, inputs: Any) -> Any:
                return [inputs["x"]]

            def __del__(self) -> None:
                freed.append(threading.current_thread().name)

        session = OnnxSession(spy, Run(), OneThread())
        session.run(rows(1))
        session.close()
        assert len(freed) == 1
        assert freed[0].startswith("facecv-gpu")

    def test_errors_come_back(self) -> None:
        """And work may ask for more work."""
        thread = OneThread()

        def fail() -> None:
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            thread(fail)
        assert thread(lambda: thread(threading.get_ident)) == thread(threading.get_ident)
