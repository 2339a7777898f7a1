"""Runs of a network that concurrent callers share."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import attrs
import numpy as np
import pytest

from facecv.core.arrays import Floats, Pixels
from facecv.core.embedding import EmbeddingSpace
from facecv.core.errors import InferenceError, InputError
from facecv.core.face import Detection
from facecv.core.face_view import FaceView
from facecv.core.geometry import Box
from facecv.core.ports.embedder import Embedder
from facecv.core.services.microbatch import (
    MicroBatcher,
    SharedAttributeModel,
    SharedEmbedder,
    Sharing,
)
from facecv.plugins.contracts.attribute_model import AttributeModelContract
from facecv.plugins.contracts.embedder import EmbedderContract
from tests.fakes.attribute_model import FakeAttributeModel
from tests.fakes.embedder import FakeEmbedder

FOREVER = 3600.0
Numbers = Sequence[int]


@attrs.define
class Machine:
    """Doubles numbers; `runs` keeps what came together, `gate` holds it back while it is shut."""

    runs: list[list[Numbers]] = attrs.field(factory=list)
    gate: threading.Event = attrs.field(factory=threading.Event)
    entered: threading.Semaphore = attrs.field(factory=lambda: threading.Semaphore(0))

    def __call__(self, calls: Sequence[Numbers]) -> list[list[int]]:
        self.runs.append([list(call) for call in calls])
        self.entered.release()
        assert self.gate.wait(20)
        if any(number < 0 for call in calls for number in call):
            raise InferenceError("a negative number")
        return [[2 * number for number in call] for call in calls]


@contextmanager
def threads(count: int) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(count) as pool:
        yield pool


def queue_up(
    pool: ThreadPoolExecutor, batcher: MicroBatcher[Numbers, list[int]], calls: Sequence[Numbers]
) -> list[Future[list[int]]]:
    """Start calls one after the other, so that their order is known, and return when all wait."""
    futures = []
    for call in calls:
        before = batcher.waiting
        futures.append(pool.submit(batcher, call))
        wait_until(lambda: batcher.waiting > before)  # noqa: B023 - called at once
    return futures


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(4000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it never came to that")


class TestSharing:
    def test_who_comes_alone_never_waits(self) -> None:
        machine = Machine()
        machine.gate.set()
        batcher = MicroBatcher(machine, Sharing(max_wait=FOREVER))
        assert [batcher([number]) for number in range(3)] == [[0], [2], [4]]
        assert machine.runs == [[[0]], [[1]], [[2]]]

    def test_what_arrives_during_a_run_goes_into_the_next_one_together(self) -> None:
        machine = Machine()
        batcher = MicroBatcher(machine, Sharing(max_wait=0))
        with threads(6) as pool:
            first = pool.submit(batcher, [1])
            machine.entered.acquire()
            others = queue_up(pool, batcher, [[2], [3, 4], [], [5]])
            machine.gate.set()
            assert first.result() == [2]
            assert [other.result() for other in others] == [[4], [6, 8], [], [10]]
        assert machine.runs == [[[1]], [[2], [3, 4], [], [5]]]

    def test_no_run_is_larger_than_allowed_and_order_is_kept(self) -> None:
        machine = Machine()
        batcher = MicroBatcher(machine, Sharing(max_size=4, max_wait=0))
        with threads(8) as pool:
            pool.submit(batcher, [0])
            machine.entered.acquire()
            others = queue_up(pool, batcher, [[1, 1], [2, 2, 2], [3], [4], [5]])
            machine.gate.set()
            for other in others:
                other.result()
        assert machine.runs == [[[0]], [[1, 1]], [[2, 2, 2], [3]], [[4], [5]]]

    def test_under_load_a_run_waits_for_company_until_it_is_full(self) -> None:
        machine = Machine()
        machine.gate.set()
        batcher = MicroBatcher(machine, Sharing(max_size=2, max_wait=FOREVER))
        batcher._crowded = True  # as it is after a run that had company
        with threads(2) as pool:
            first = pool.submit(batcher, [1])
            second = pool.submit(batcher, [2])
            assert [first.result(), second.result()] == [[2], [4]]
        assert sorted(map(list, machine.runs[0])) == [[1], [2]]

    def test_lanes_run_side_by_side(self) -> None:
        machine = Machine()
        batcher = MicroBatcher(machine, Sharing(lanes=2))
        with threads(2) as pool:
            futures = [pool.submit(batcher, [number]) for number in (1, 2)]
            machine.entered.acquire()
            machine.entered.acquire()  # both are under way, neither is done
            machine.gate.set()
            assert [future.result() for future in futures] == [[2], [4]]


class TestErrors:
    def test_the_error_of_a_run_reaches_all_its_callers_and_nobody_else(self) -> None:
        machine = Machine()
        batcher = MicroBatcher(machine, Sharing(max_size=3, max_wait=0))
        with threads(8) as pool:
            first = pool.submit(batcher, [1])
            machine.entered.acquire()
            spoilt = queue_up(pool, batcher, [[2], [-1], [3]])
            later = queue_up(pool, batcher, [[4]])
            machine.gate.set()
            assert first.result() == [2]
            for future in spoilt:
                with pytest.raises(InferenceError):
                    future.result()
            assert later[0].result() == [8]
        assert batcher([5]) == [10]

    def test_a_machine_that_forgets_a_result_leaves_nobody_waiting(self) -> None:
        batcher: MicroBatcher[Numbers, Numbers] = MicroBatcher(lambda _: [], Sharing())
        with pytest.raises(ValueError, match="shorter"):
            batcher([1])
        with pytest.raises(ValueError, match="shorter"):
            batcher([1])


@pytest.mark.parametrize("lanes", [1, 3])
def test_many_threads_each_get_their_own(lanes: int) -> None:
    """Twenty-four threads, random sizes and failures: nothing is lost, mixed up or left behind."""

    def machine(calls: Sequence[Numbers]) -> list[list[int]]:
        time.sleep(0.0005)
        if any(7 in call for call in calls):
            raise InferenceError("seven")
        sizes.append(sum(map(len, calls)))
        return [[number + 1 for number in call] for call in calls]

    def client(seed: int) -> int:
        numbers, failed = np.random.default_rng(seed), 0
        for _ in range(60):
            call = numbers.integers(8, 1000, numbers.integers(1, 5)).tolist()
            if numbers.random() < 0.02:
                call[0] = 7
            try:
                assert batcher(call) == [number + 1 for number in call]
            except InferenceError:
                failed += 1
        return failed

    sizes: list[int] = []
    batcher = MicroBatcher(machine, Sharing(max_size=8, max_wait=0.0005, lanes=lanes))
    with threads(24) as pool:
        failed = sum(pool.map(client, range(24)))
    assert 0 < failed < 24 * 60 / 2
    assert max(sizes) <= 8
    assert len(sizes) < 24 * 60
    assert batcher.waiting == 0


@attrs.define
class _Counting:
    """An embedder that keeps how many faces came together."""

    inner: FakeEmbedder = attrs.field(factory=FakeEmbedder)
    sizes: list[int] = attrs.field(factory=list)
    gate: threading.Event = attrs.field(factory=threading.Event)

    @property
    def space(self) -> EmbeddingSpace:
        return self.inner.space

    @property
    def input_size(self) -> int:
        return self.inner.input_size

    def embed(self, crops: Pixels, /) -> tuple[Floats, Floats]:
        self.sizes.append(len(crops))
        assert self.gate.wait(20)
        return self.inner.embed(crops)


class TestEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return SharedEmbedder(FakeEmbedder(), Sharing())


class TestSharedEmbedder:
    def test_faces_of_several_callers_share_a_run(self) -> None:
        counting = _Counting()
        shared = SharedEmbedder(counting, Sharing(max_wait=0))
        crops = np.random.default_rng(0).integers(0, 255, (6, 112, 112, 3), dtype=np.uint8)
        parts = [crops[:1], crops[1:3], crops[3:6]]
        with threads(3) as pool:
            futures = [pool.submit(shared.embed, parts[0])]
            wait_until(lambda: counting.sizes == [1])
            for position, part in enumerate(parts[1:]):
                futures.append(pool.submit(shared.embed, part))
                wait_until(lambda: shared._batcher.waiting == position + 1)  # noqa: B023
            counting.gate.set()
            answers = [future.result() for future in futures]
        assert counting.sizes == [1, 5]
        vectors, norms = FakeEmbedder().embed(crops)
        assert np.array_equal(np.concatenate([answer[0] for answer in answers]), vectors)
        assert np.array_equal(np.concatenate([answer[1] for answer in answers]), norms)

    def test_wrong_crops_spoil_nobody_else_s_run(self) -> None:
        counting = _Counting()
        shared = SharedEmbedder(counting, Sharing(max_wait=0))
        good, bad = np.zeros((1, 112, 112, 3), np.uint8), np.zeros((1, 8, 8, 3), np.uint8)
        with threads(2) as pool:
            first = pool.submit(shared.embed, good)
            wait_until(lambda: counting.sizes == [1])
            second = pool.submit(shared.embed, bad)
            counting.gate.set()
            assert len(first.result()[0]) == 1
            with pytest.raises(InputError):
                second.result()


class TestAttributeModel(AttributeModelContract):
    @pytest.fixture
    def model(self) -> SharedAttributeModel:
        return SharedAttributeModel(FakeAttributeModel(), Sharing())


def test_attributes_of_several_callers_share_a_run_and_keep_their_order() -> None:
    shared = SharedAttributeModel(FakeAttributeModel(), Sharing(max_size=6))

    def ask(shade: int) -> bool:
        crop = np.full((112, 112, 3), shade, np.uint8)
        faces = [FaceView(Detection(Box(0, 0, 9, 9), 1.0), 9, 9, (crop,))] * (1 + shade % 3)
        said = shared.predict(faces)
        wanted = "light" if shade > 127 else "dark"
        return len(said) == len(faces) and all(each["tone"].value == wanted for each in said)

    with threads(12) as pool:
        assert all(pool.map(ask, [shade for shade in range(0, 255, 3) for _ in range(4)]))
