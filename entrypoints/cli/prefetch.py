"""Doing the next piece of work ahead, in a thread, while the last one is being used."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

AHEAD = 3
"""How many results wait at most."""


def prefetched(
    work: Callable[[ItemT], ResultT], items: Iterable[ItemT], ahead: int = AHEAD, workers: int = 1
) -> Generator[tuple[ItemT, Callable[[], ResultT]], None, None]:
    """Yield each item, in order, with a function that returns its result or raises its error.

    Threads work on the items that come next; what it has begun is waited for, and nothing else
    is begun, when the caller stops early.

    Args:
        work: what is done to an item, in another thread.
        items: as many as one likes; at most `ahead` are taken in advance.
        ahead: how many results wait at most.
        workers: how many items are worked on at once.
    """
    from concurrent.futures import ThreadPoolExecutor

    waiting: deque[tuple[ItemT, Future[ResultT]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="prefetch")
    try:
        for item in items:
            waiting.append((item, pool.submit(work, item)))
            if len(waiting) > ahead:
                first, future = waiting.popleft()
                yield first, future.result
        for item, future in waiting:
            yield item, future.result
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()  # results may be waited for later
