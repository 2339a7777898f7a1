"""Work that goes on in the background while somebody asks now and then how far it is."""

import contextlib
import re
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import attrs

from facecv.core.errors import FaceCVError, JobLostError, JobNotFoundError, OverloadedError

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
_OVER: frozenset[JobState] = frozenset({"done", "failed", "cancelled"})
_ID = re.compile(r"[0-9a-f]{24}")
BOOT_DIGITS = 8
"""How many digits of an id are of the process."""


def _now() -> datetime:
    return datetime.now(UTC)


@attrs.frozen
class Job:
    """How things stand with a piece of work.

    Attributes:
        id: 24 hexadecimal digits; the first eight are those of the process that runs it.
        kind: what it does, such as ``pull``.
        state: where it is; ``done``, ``failed`` and ``cancelled`` are final.
        done: steps that are behind it.
        total: steps in all; 0: not known.
        note: what it is doing, in words.
        result: what it returned.
        error: why it failed.
        owner: who asked for it.
        created: when it was asked for.
        started: when it began.
        finished: when it ended.
    """

    id: str
    kind: str
    state: JobState = "queued"
    done: int = 0
    total: int = 0
    note: str = ""
    result: object = attrs.field(default=None, repr=False)
    error: Exception | None = None
    owner: str = ""
    created: datetime = attrs.field(factory=_now)
    started: datetime | None = None
    finished: datetime | None = None

    @property
    def over(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in _OVER


class JobCancelled(Exception):  # noqa: N818 - it is no error: it unwinds a job that was called off
    """Somebody called the job off; raised inside it, by what tells its progress."""


Tell = Callable[[int, int, str], None]
"""Called by a job with steps done, steps in all (0: not known) and a note; ends it if it was
called off, by raising `JobCancelled`."""


class Jobs:
    """Runs jobs in threads of their own, a few at once, and keeps their results for a while.

    Nothing of a job survives the process; an id of another process is answered as such. Safe to
    use from several threads.

    Attributes:
        boot: eight hexadecimal digits with which all its ids begin.
    """

    def __init__(
        self, workers: int = 2, limit: int = 64, keep: timedelta = timedelta(hours=1)
    ) -> None:
        """Make an empty list of jobs.

        Args:
            workers: how many run at once.
            limit: how many may run and wait together, and how many results are kept.
            keep: how long a result is kept.
        """
        self._limit = limit
        self._keep = keep
        self.boot = secrets.token_hex(BOOT_DIGITS // 2)
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._called_off: set[str] = set()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="facecv-job")

    def submit(self, kind: str, work: Callable[[Tell], object], owner: str = "") -> Job:
        """Begin a job as soon as there is a thread for it.

        Args:
            kind: what it does.
            work: does it; gets what tells its progress, and returns the result.
            owner: who asks for it.

        Raises:
            OverloadedError: too many jobs are running and waiting, or all is being closed.
        """
        with self._lock:
            self._tidy()
            if sum(not job.over for job in self._jobs.values()) >= self._limit:
                raise _overloaded(f"{self._limit} jobs are running and waiting already")
            identity = self.boot + secrets.token_hex(8)
            job = Job(identity, kind, owner=owner)
            self._jobs[identity] = job
            try:
                self._threads.submit(self._run, identity, work)
            except RuntimeError as error:
                del self._jobs[identity]
                raise _overloaded("the jobs are being closed") from error
        return job

    def get(self, identity: str) -> Job:
        """Return how things stand with a job.

        Raises:
            JobLostError: it was of another process, and ended with that.
            JobNotFoundError: there is no such job, or its result was kept long enough.
        """
        with self._lock:
            self._tidy()
            if identity in self._jobs:
                return self._jobs[identity]
        if _ID.fullmatch(identity) and not identity.startswith(self.boot):
            raise JobLostError(
                f"job {identity} was lost when its process ended", hint="ask for it again"
            )
        raise JobNotFoundError(
            f"there is no job {identity!r}", hint="results are kept for a while only"
        )

    def all(self) -> list[Job]:
        """Return all jobs, the newest first."""
        with self._lock:
            self._tidy()
            return list(reversed(self._jobs.values()))

    def cancel(self, identity: str) -> Job:
        """Call a job off; one that runs ends at its next step. What is over stays as it is.

        Raises:
            JobNotFoundError: as `get` does.
        """
        job = self.get(identity)
        with self._lock:
            job = self._jobs.get(identity, job)
            if job.state == "queued":
                self._change(identity, state="cancelled", finished=_now())
            elif job.state == "running":
                self._called_off.add(identity)
            return self._jobs.get(identity, job)

    def close(self) -> None:
        """Call all jobs off and wait until they have ended. May be called twice."""
        for job in self.all():
            with contextlib.suppress(JobNotFoundError):  # too old to be kept, just now
                self.cancel(job.id)
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _run(self, identity: str, work: Callable[[Tell], object]) -> None:
        with self._lock:
            if self._jobs[identity].state != "queued":
                return
            self._change(identity, state="running", started=_now())
        try:
            result = work(lambda done, total, note: self._tell(identity, done, total, note))
        except JobCancelled:
            self._end(identity, "cancelled")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the job's result
            self._end(identity, "failed", error=error)
        else:
            self._end(identity, "done", result=result)

    def _tell(self, identity: str, done: int, total: int, note: str) -> None:
        with self._lock:
            if identity in self._called_off:
                raise JobCancelled
            self._change(identity, done=done, total=total, note=note)

    def _end(
        self,
        identity: str,
        state: JobState,
        *,
        result: object = None,
        error: Exception | None = None,
    ) -> None:
        with self._lock:
            self._called_off.discard(identity)
            self._change(identity, state=state, result=result, error=error, finished=_now())

    def _change(self, identity: str, **values: Any) -> None:  # noqa: ANN401 - fields of a job
        if identity in self._jobs:
            self._jobs[identity] = attrs.evolve(self._jobs[identity], **values)

    def _tidy(self) -> None:
        """Drop results that are old, and the oldest where there are too many."""
        latest = _now() - self._keep
        over = [job for job in self._jobs.values() if job.over]
        extra = len(over) - self._limit
        for index, job in enumerate(over):
            if index < extra or (job.finished and job.finished < latest):
                del self._jobs[job.id]


def failure(job: Job) -> FaceCVError | None:
    """Return why a job failed, if that is an error of ours; a bug tells nothing."""
    return job.error if isinstance(job.error, FaceCVError) else None


def _overloaded(reason: str) -> OverloadedError:
    return OverloadedError(reason, hint="come back later", details={"retry_after": 10})
