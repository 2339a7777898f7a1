"""What a live source promises about outages, with a reader that does what it is told."""

import threading
from collections.abc import Generator

import numpy as np

from facecv.adapters.frames.mailbox import Mailbox
from facecv.adapters.frames.threaded import Grab, SourceOptions, ThreadedSource
from facecv.core.backoff import Backoff
from facecv.core.errors import SourceError


def test_no_frame_from_before_comes_after_an_outage() -> None:
    """Or else a camera would seem to be back while it is dead."""
    lost = threading.Event()

    def reader() -> Generator[Grab, None, None]:
        if lost.is_set():
            raise SourceError("gone")
        yield Grab(None, lambda: np.zeros((2, 2, 3), np.uint8))
        lost.set()
        raise SourceError("gone")

    options = SourceOptions(live=True, backoff=Backoff(first=0.01, longest=0.01))
    with ThreadedSource("yard", reader, options) as source:
        while source.status.outages == 0:
            lost.wait(0.01)
        assert source.take(0.05) is None
        assert source.status.state == "retrying"
        assert source.status.problem == "gone"
        assert source.status.outages == 1
        assert source.status.dropped == 1


def test_a_full_box_drops_the_oldest_or_waits() -> None:
    never = threading.Event()
    newest, every = Mailbox[int](2, replace=True), Mailbox[int](2, replace=False)
    for number in range(4):
        assert newest.put(number)
    assert [newest.take(0, never), newest.take(0, never)] == [2, 3]
    assert newest.dropped == 2
    writer = threading.Thread(target=lambda: [every.put(number) for number in range(4)])
    writer.start()
    assert [every.take(5, never) for _ in range(4)] == [0, 1, 2, 3]
    writer.join()
    assert every.dropped == 0


def test_a_closed_box_lets_go_of_whoever_waits() -> None:
    box = Mailbox[int](1, replace=False)
    box.put(1)
    refused: list[bool] = []
    writer = threading.Thread(target=lambda: refused.append(box.put(2)))
    writer.start()
    box.close()
    writer.join(5)
    assert refused == [False]
    assert box.is_empty
