"""A bounded pool of threads."""

import contextvars
import threading
from concurrent.futures import CancelledError

import pytest

from facecv.core.errors import OverloadedError
from facecv.core.services.work import WorkPool


def test_results_and_errors_come_back() -> None:
    pool = WorkPool(2)
    assert pool.submit(lambda: 3).result() == 3
    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda: 1 // 0).result()
    pool.close()
    assert pool.busy == 0


def test_there_are_as_many_threads_as_cores_unless_said_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("facecv.core.services.work.available_cores", lambda: 5)
    assert WorkPool().workers == 5


def test_what_the_queue_does_not_hold_is_refused() -> None:
    pool, gate = WorkPool(1, queue=2, retry_after=7), threading.Event()
    futures = [pool.submit(gate.wait) for _ in range(3)]
    assert (pool.busy, pool.waiting) == (3, 2)
    with pytest.raises(OverloadedError) as refused:
        pool.submit(gate.wait)
    assert refused.value.details == {"retry_after": 7}
    assert pool.refused == 1
    gate.set()
    assert all(future.result() for future in futures)
    assert pool.submit(lambda: 1).result() == 1
    pool.close()


def test_work_that_waits_can_be_taken_back_and_makes_room() -> None:
    pool, gate = WorkPool(1, queue=1), threading.Event()
    running, waiting = pool.submit(gate.wait), pool.submit(lambda: pytest.fail("it ran"))
    assert waiting.cancel()
    assert pool.busy == 1
    later = pool.submit(lambda: "later")
    gate.set()
    assert (running.result(), later.result()) == (True, "later")
    with pytest.raises(CancelledError):
        waiting.result()
    pool.close()


def test_tasks_see_the_context_variables_of_the_caller() -> None:
    name = contextvars.ContextVar("name", default="nobody")
    pool = WorkPool(1)
    name.set("caller")
    assert pool.submit(name.get).result() == "caller"
    pool.close()


def test_a_closed_pool_refuses_drops_what_waits_and_finishes_what_runs() -> None:
    pool, gate, entered = WorkPool(1, queue=5), threading.Event(), threading.Event()

    def work() -> str:
        entered.set()
        gate.wait()
        return "done"

    running, waiting = pool.submit(work), pool.submit(work)
    assert entered.wait(10)
    closing = threading.Thread(target=pool.close)
    closing.start()
    with pytest.raises(CancelledError):
        waiting.result(10)
    gate.set()
    closing.join(10)
    assert pool.close()
    assert running.result() == "done"
    with pytest.raises(OverloadedError, match="stopping"):
        pool.submit(work)
    assert pool.busy == 0


def test_closing_does_not_wait_for_ever() -> None:
    pool, gate = WorkPool(1), threading.Event()
    pool.submit(gate.wait)
    assert not pool.close(0.01)
    gate.set()
    assert pool.close(20)
