"""Work in the background."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from facecv.core.errors import JobLostError, JobNotFoundError, ModelError, OverloadedError
from facecv.core.services.jobs import Job, Jobs, Tell, failure


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    jobs = Jobs(workers=1, limit=3)
    yield jobs
    jobs.close()


def _wait(jobs: Jobs, job: Job, *states: str) -> Job:
    deadline = time.monotonic() + 10
    while (now := jobs.get(job.id)).state not in (states or ("done", "failed", "cancelled")):
        assert time.monotonic() < deadline, now
        time.sleep(0.001)
    return now


def test_a_job_tells_its_progress_and_then_its_result(jobs: Jobs) -> None:
    told, go = threading.Event(), threading.Event()

    def work(tell: Tell) -> str:
        tell(1, 2, "half of it")
        told.set()
        go.wait()
        return "done it"

    job = jobs.submit("pull", work, owner="ada")
    assert job.kind == "pull"
    told.wait()
    now = jobs.get(job.id)
    assert (now.state, now.done, now.total, now.note) == ("running", 1, 2, "half of it")
    go.set()
    now = _wait(jobs, job)
    assert (now.state, now.result, now.owner) == ("done", "done it", "ada")
    assert now.started is not None
    assert now.finished is not None
    assert now.created <= now.started <= now.finished


@pytest.mark.parametrize(("error", "ours"), [(ModelError("gone"), True), (KeyError("x"), False)])
def test_a_failure_is_kept(jobs: Jobs, error: Exception, ours: bool) -> None:
    def work(_: Tell) -> None:
        raise error

    job = _wait(jobs, jobs.submit("pull", work))
    assert (job.state, job.error) == ("failed", error)
    assert (failure(job) is error) is ours


class TestCancelling:
    """A job ends at its next step, or never begins."""

    def test_one_that_runs_and_one_that_waits(self, jobs: Jobs) -> None:
        began = threading.Event()

        def work(tell: Tell) -> None:
            while True:
                tell(0, 0, "")
                began.set()
                time.sleep(0.001)

        running, waiting = (
            jobs.submit("endless", work),
            jobs.submit("never", lambda _: pytest.fail("it ran")),
        )
        began.wait()
        assert jobs.cancel(waiting.id).state == "cancelled"
        jobs.cancel(running.id)
        assert _wait(jobs, running).state == "cancelled"
        assert jobs.get(waiting.id).state == "cancelled"

    def test_one_that_is_over_stays_as_it_is(self, jobs: Jobs) -> None:
        job = _wait(jobs, jobs.submit("quick", lambda _: 1))
        assert jobs.cancel(job.id) == job

    def test_closing_cancels_all(self, jobs: Jobs) -> None:
        def work(tell: Tell) -> None:
            while True:
                tell(0, 0, "")

        made = [jobs.submit("endless", work) for _ in range(3)]
        jobs.close()
        assert {jobs.get(job.id).state for job in made} == {"cancelled"}
        with pytest.raises(OverloadedError, match="closed"):
            jobs.submit("late", work)


def test_there_is_a_limit_to_what_waits(jobs: Jobs) -> None:
    go = threading.Event()
    made = [jobs.submit("slow", lambda _: go.wait()) for _ in range(3)]
    with pytest.raises(OverloadedError, match="3 jobs"):
        jobs.submit("one more", lambda _: None)
    go.set()
    for job in made:
        _wait(jobs, job)
    assert [job.id for job in jobs.all()] == [job.id for job in reversed(made)]
    jobs.submit("one more", lambda _: None)


def test_results_are_kept_for_a_while_and_only_so_many() -> None:
    jobs = Jobs(limit=2)
    made = [_wait(jobs, jobs.submit("quick", lambda _: None)) for _ in range(3)]
    assert [job.id for job in jobs.all()] == [made[2].id, made[1].id]
    with pytest.raises(JobNotFoundError, match="for a while"):
        jobs.get(made[0].id)
    jobs.close()
    short = Jobs(keep=timedelta(0))
    job = short.submit("quick", lambda _: None)
    short.close()
    with pytest.raises(JobNotFoundError):
        short.get(job.id)


def test_after_a_restart_a_job_is_lost_and_not_unknown(jobs: Jobs) -> None:
    other = Jobs()
    job = other.submit("quick", lambda _: None)
    other.close()
    with pytest.raises(JobLostError, match="process ended"):
        jobs.get(job.id)
    for unknown in ("", "nonsense", jobs.submit("quick", lambda _: None).id[:8] + "0" * 16):
        with pytest.raises(JobNotFoundError) as caught:
            jobs.get(unknown)
        assert not isinstance(caught.value, JobLostError)
