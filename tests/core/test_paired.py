"""Fair comparisons: who is run when."""

from functools import partial
from itertools import count

from facecv.core.paired import overhead, paired_seconds


def test_actions_take_turns_after_a_run_that_does_not_count() -> None:
    ran: list[str] = []
    seconds = paired_seconds({name: partial(ran.append, name) for name in "ab"}, 2)
    assert "".join(ran) == "ababab"
    assert [len(times) for times in seconds.values()] == [2, 2]


def test_after_a_rest_each_turn_begins_with_as_many_seconds_of_runs_that_do_not_count() -> None:
    ran: list[str] = []
    actions = {name: partial(ran.append, name) for name in "ab"}
    clock = count(step=0.001).__next__
    seconds = paired_seconds(actions, 2, rest=0.0025, clock=clock)
    assert "".join(ran) == "ab" + 2 * "aaaabbbb"
    assert [len(times) for times in seconds.values()] == [2, 2]


def test_overhead_is_the_median_of_pairs() -> None:
    assert overhead([1.0, 2.0, 1.0], [1.5, 3.0, 9.0]) == 0.5
