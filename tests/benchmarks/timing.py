"""Fair comparisons of running times."""

import statistics
import time
from collections.abc import Callable, Mapping

Action = Callable[[], object]


def paired_medians(actions: Mapping[str, Action], rounds: int) -> dict[str, float]:
    """Return the median seconds of each action.

    All actions take turns in every round, so that whatever else the machine does hits them alike.

    Args:
        actions: name to what is timed.
        rounds: how often each is run, after one run that does not count.
    """
    for action in actions.values():
        action()
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            started = time.perf_counter()
            action()
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}
