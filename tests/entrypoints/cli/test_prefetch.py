"""Working ahead: in order, bounded, with the errors where they belong."""

import threading
from collections.abc import Iterator

import pytest

from facecv.entrypoints.cli.prefetch import prefetched


def double(number: int) -> int:
    if number == 3:
        raise ValueError(number)
    return 2 * number


def test_results_come_in_order_and_errors_with_their_item() -> None:
    found: list[int | None] = []
    for number, result in prefetched(double, range(6), 2):
        if number == 3:
            with pytest.raises(ValueError, match="3"):
                result()
            found.append(None)
        else:
            found.append(result())
    assert found == [0, 2, 4, None, 8, 10]


def test_results_may_be_waited_for_when_all_items_are_taken() -> None:
    gate = threading.Event()

    def work(number: int) -> int:
        gate.wait(10)
        return number

    def waited() -> list[int]:
        return [result() for _, result in list(coming)]

    coming = prefetched(work, range(3))
    threading.Timer(0.05, gate.set).start()
    assert waited() == [0, 1, 2]


def test_so_many_are_worked_on_at_once() -> None:
    both = threading.Barrier(2)

    def work(number: int) -> int:
        both.wait(10)
        return number

    assert [result() for _, result in prefetched(work, range(4), workers=2)] == [0, 1, 2, 3]


def test_no_items_are_no_results() -> None:
    assert list(prefetched(double, [])) == []


def test_the_next_item_is_worked_on_while_one_is_used() -> None:
    begun = [threading.Event() for _ in range(3)]

    def work(number: int) -> int:
        begun[number].set()
        return number

    for number, result in prefetched(work, range(3)):
        assert result() == number
        assert all(event.wait(10) for event in begun[number:])


def test_no_more_than_asked_are_taken_in_advance() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    coming = prefetched(double, items(), 3)
    next(coming)
    assert len(taken) == 4
    coming.close()
    assert len(taken) == 4


def test_stopping_early_begins_nothing_new() -> None:
    go, done = threading.Event(), list[int]()

    def work(number: int) -> int:
        if number:
            go.wait(10)
        done.append(number)
        return number

    coming = prefetched(work, range(4), 3)
    assert next(coming)[1]() == 0
    threading.Timer(0.05, go.set).start()
    coming.close()
    assert done in ([0], [0, 1])
