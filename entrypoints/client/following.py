"""Following events without input or output: what both clients do when a connection breaks."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import httpx

from facecv.core.backoff import Backoff
from facecv.core.errors import FaceCVError, ServiceError
from facecv.entrypoints.client.stream_results import RemoteEvent
from facecv.entrypoints.client.wire import Call, converted, nothing

_BACKOFF = Backoff(first=0.5, longest=5.0)


class Following:
    """Reads server-sent events, and comes back to where it was.

    Args:
        filters: which events, by the service's names.
        after: the position of the last event that was read; empty: from now on.
        patience: seconds without a sign of life after which it is given up.
        clock: tells the time in seconds.
    """

    def __init__(
        self,
        filters: Mapping[str, Any],
        after: str,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._filters, self._position = filters, after
        self._patience, self._clock = patience, clock
        self._heard, self._failures = clock(), 0
        self._fields: dict[str, str] = {}

    def call(self) -> Call[None]:
        """Return a call that goes on where the last one ended."""
        self._fields = {}  # what was cut off in the middle comes again
        headers = {"Last-Event-ID": self._position} if self._position else {}
        return Call(
            *("GET", "/v1/events/stream", nothing, self._filters),
            headers=headers,
            accept="text/event-stream",
        )

    def take(self, line: str) -> RemoteEvent | None:
        """Return the event that a line completes.

        Raises:
            ServiceError: it is none.
        """
        self._heard, self._failures = self._clock(), 0
        if line:
            name, _, value = line.partition(":")
            self._fields[name] = value.removeprefix(" ")
            return None
        fields, self._fields = self._fields, {}
        self._position = fields.get("id", self._position)
        return _event(fields["data"], self._position) if "data" in fields else None

    def pause(self, problem: FaceCVError | None) -> float:
        """Return the seconds after which to come back.

        Args:
            problem: why the connection ended; None: the server closed it. It is raised if it will
                not pass, or if the patience is at an end.
        """
        if problem and not _passes(problem):
            raise problem
        if self._clock() - self._heard > self._patience:
            raise problem or ServiceError("the server tells no events any more")
        self._failures += 1
        return _BACKOFF.delay(self._failures)


def _event(data: str, position: str) -> RemoteEvent:
    try:
        body = json.loads(data)
    except ValueError as error:
        raise ServiceError("the server's events are not understood") from error
    return attrs.evolve(converted(body, RemoteEvent), position=position)


def _passes(problem: FaceCVError) -> bool:
    """Return whether it is the connection that broke, or a server that has no time now."""
    return isinstance(problem.__cause__, httpx.HTTPError) or problem.details.get("status") == 503
