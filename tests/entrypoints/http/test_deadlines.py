"""Ends of patience."""

import asyncio

from facecv.entrypoints.http.deadlines import Deadlines


def test_what_takes_too_long_is_acted_on_once() -> None:
    acts: list[str] = []

    async def scenario() -> None:
        deadlines = Deadlines(tick=0.01)
        with deadlines.after(0.0, lambda: acts.append("late")):
            while not acts:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)

    asyncio.run(scenario())
    assert acts == ["late"]


def test_what_is_done_in_time_is_left_alone() -> None:
    acts: list[str] = []

    async def scenario() -> None:
        deadlines = Deadlines(tick=0.01)
        other = asyncio.Event()
        with deadlines.after(0.0, lambda: acts.append("late")):
            pass
        with deadlines.after(0.0, other.set):
            await other.wait()

    asyncio.run(scenario())
    assert acts == []


def test_the_clock_goes_on_after_it_stood_still() -> None:
    async def scenario() -> None:
        deadlines = Deadlines(tick=0.01)
        for _ in range(2):
            late = asyncio.Event()
            with deadlines.after(0.0, late.set):
                await late.wait()
            await asyncio.sleep(0.05)

    asyncio.run(asyncio.wait_for(scenario(), 20))
