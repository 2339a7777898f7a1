"""Fair comparisons of running times."""

import statistics
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

Action = Callable[[], object]
Clock = Callable[[], float]
NameT = TypeVar("NameT", bound=Hashable)


def paired_seconds(
    actions: Mapping[NameT, Action],
    rounds: int,
    *,
    rest: float = 0.0,
    clock: Clock = time.perf_counter,
) -> dict[NameT, list[float]]:
    """Return the seconds that each action took in each round.

    All actions take turns in every round, so that whatever else the machine does hits them alike.

    Args:
        actions: name to what is timed.
        rounds: how often each is run, after one run that does not count.
        rest: seconds to wait before each turn, which then begins with as many of runs that do not
            count, at least one. For actions whose threads go on spinning when they are done, as
            those of ONNX Runtime do by default for some fifty milliseconds: whoever comes next
            would pay for them, and for cores that fell asleep meanwhile.
        clock: returns seconds.
    """
    for action in actions.values():
        action()
    seconds: dict[NameT, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            if rest:
                time.sleep(rest)
                _warm_up(action, rest, clock)
            started = clock()
            action()
            seconds[name].append(clock() - started)
    return seconds


def _warm_up(action: Action, seconds: float, clock: Clock) -> None:
    """Run an action once, and again for as long."""
    end = clock() + seconds
    action()
    while clock() < end:
        action()


def overhead(base: Sequence[float], other: Sequence[float]) -> float:
    """Return by what share `other` took longer, as the median over the rounds."""
    return statistics.median(b / a for a, b in zip(base, other, strict=True)) - 1
