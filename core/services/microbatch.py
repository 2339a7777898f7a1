"""Runs of a network that concurrent callers share.

A network takes eight faces in less time than eight times one face, so what arrives while it is
busy goes into its next run together. Who comes alone is served at once; only under load does a run
wait a moment for company.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence, Sized
from typing import Generic, TypeVar, cast

import attrs
import numpy as np

from facecv.core.arrays import Floats, Pixels
from facecv.core.attributes import AttributeValue, CropNeed
from facecv.core.embedding import EmbeddingSpace
from facecv.core.face_view import FaceView
from facecv.core.ports.attribute_model import AttributeModel
from facecv.core.ports.embedder import Embedder

GivenT = TypeVar("GivenT", bound=Sized)
ResultT = TypeVar("ResultT")


@attrs.frozen
class Sharing:
    """How callers share runs.

    Attributes:
        max_size: the most faces of one shared run.
        max_wait: seconds that a run waits for company under load; one that comes alone never does.
        lanes: how many runs may be under way at once.
    """

    max_size: int = attrs.field(default=32, validator=attrs.validators.ge(1))
    max_wait: float = attrs.field(default=0.001, validator=attrs.validators.ge(0))
    lanes: int = attrs.field(default=1, validator=attrs.validators.ge(1))


@attrs.define(eq=False)
class _Call(Generic[GivenT, ResultT]):
    """What one caller wants, and what became of it."""

    given: GivenT
    turn: threading.Event = attrs.field(factory=threading.Event)
    done: bool = False
    _result: ResultT | None = None
    _error: BaseException | None = None

    def finish(self, result: ResultT | None, error: BaseException | None = None) -> None:
        self._result, self._error, self.done = result, error, True
        self.turn.set()

    def outcome(self) -> ResultT:
        if self._error is not None:
            raise self._error
        return cast("ResultT", self._result)


class MicroBatcher(Generic[GivenT, ResultT]):
    """Puts the calls of several threads into shared runs. Safe to use from several threads.

    One of the callers leads a run; when it is over, the first that waits leads the next one. There
    is no thread of its own that could be left behind.

    Args:
        run: takes what some callers gave, in the order of their calls, and returns one result each.
        sharing: sizes and times.
    """

    def __init__(
        self, run: Callable[[Sequence[GivenT]], Sequence[ResultT]], sharing: Sharing
    ) -> None:
        self._run = run
        self._sharing = sharing
        self._lock = threading.Lock()
        self._arrival = threading.Condition(self._lock)
        self._waiting: deque[_Call[GivenT, ResultT]] = deque()
        self._leaders = 0
        self._crowded = False

    @property
    def waiting(self) -> int:
        """How many calls wait for a run."""
        return len(self._waiting)

    def __call__(self, given: GivenT) -> ResultT:
        """Return the result of one call; raises what the run that it shared raised."""
        call: _Call[GivenT, ResultT] = _Call(given)
        if not self._leads(call):
            self._wait(call)
        if not call.done:
            self._lead(call)
        return call.outcome()

    def _leads(self, call: _Call[GivenT, ResultT]) -> bool:
        """Return whether a new call may start a run; if not, it is put in line."""
        with self._lock:
            if self._leaders < self._sharing.lanes:
                self._leaders += 1
                return True
            self._waiting.append(call)
            self._crowded = True
            self._arrival.notify_all()
            return False

    def _wait(self, call: _Call[GivenT, ResultT]) -> None:
        """Wait until the call is done, or is to lead; whoever is interrupted leaves the line."""
        try:
            call.turn.wait()
        except BaseException:
            with self._lock:
                if call in self._waiting:
                    self._waiting.remove(call)
                elif call.turn.is_set() and not call.done:
                    self._hand_over()
            raise

    def _lead(self, own: _Call[GivenT, ResultT]) -> None:
        """Run a call together with those that wait, then let the next one lead."""
        try:
            batch = self._gather(own)
            self._execute(batch)
        finally:
            with self._lock:
                self._hand_over()

    def _gather(self, own: _Call[GivenT, ResultT]) -> list[_Call[GivenT, ResultT]]:
        with self._lock:
            room = self._sharing.max_size - len(own.given)
            if self._crowded:
                self._arrival.wait_for(lambda: self._queued() >= room, self._sharing.max_wait)
            batch = [own]
            while self._waiting and len(self._waiting[0].given) <= room:
                batch.append(self._waiting.popleft())
                room -= len(batch[-1].given)
            self._crowded = len(batch) > 1
            return batch

    def _queued(self) -> int:
        return sum(len(call.given) for call in self._waiting)

    def _execute(self, batch: Sequence[_Call[GivenT, ResultT]]) -> None:
        try:
            results = self._run([call.given for call in batch])
            done = list(zip(batch, results, strict=True))
        except BaseException as error:
            for call in batch:
                call.finish(None, error)
            raise
        for call, result in done:
            call.finish(result)

    def _hand_over(self) -> None:
        """Let the first that waits lead, or nobody; under the lock."""
        if self._waiting:
            self._waiting.popleft().turn.set()
        else:
            self._leaders -= 1


class SharedEmbedder:
    """An embedder whose concurrent callers share runs of another embedder.

    Args:
        embedder: what does the work.
        sharing: sizes and times; a call of more faces than `max_size` is not shared.
    """

    def __init__(self, embedder: Embedder, sharing: Sharing) -> None:
        self._embedder = embedder
        self._max_size = sharing.max_size
        self._batcher: MicroBatcher[Pixels, tuple[Floats, Floats]] = MicroBatcher(
            self._embed_all, sharing
        )

    @property
    def space(self) -> EmbeddingSpace:
        """The space of its vectors."""
        return self._embedder.space

    @property
    def input_size(self) -> int:
        """Side, in pixels, of the square crops it wants."""
        return self._embedder.input_size

    def embed(self, crops: Pixels, /) -> tuple[Floats, Floats]:
        """Return the vectors of aligned faces and the lengths of the network's outputs."""
        size = self.input_size
        # Crops of a wrong shape must not spoil the run of others.
        if not 0 < len(crops) < self._max_size or crops.shape[1:] != (size, size, 3):
            return self._embedder.embed(crops)
        return self._batcher(crops)

    def _embed_all(self, calls: Sequence[Pixels]) -> list[tuple[Floats, Floats]]:
        if len(calls) == 1:
            return [self._embedder.embed(calls[0])]
        vectors, norms = self._embedder.embed(np.concatenate(calls))
        ends = np.cumsum([len(crops) for crops in calls])[:-1]
        return list(zip(np.split(vectors, ends), np.split(norms, ends), strict=True))


class SharedAttributeModel:
    """An attribute model whose concurrent callers share runs of another one.

    Args:
        model: what does the work.
        sharing: sizes and times; a call of more faces than `max_size` is not shared.
    """

    def __init__(self, model: AttributeModel, sharing: Sharing) -> None:
        self._model = model
        self._max_size = sharing.max_size
        self._batcher: MicroBatcher[Sequence[FaceView], list[Mapping[str, AttributeValue]]] = (
            MicroBatcher(self._predict_all, sharing)
        )

    @property
    def provides(self) -> frozenset[str]:
        """Names of the attributes it gives."""
        return self._model.provides

    @property
    def needs(self) -> tuple[CropNeed, ...]:
        """The crops it looks at."""
        return self._model.needs

    def predict(self, faces: Sequence[FaceView], /) -> Sequence[Mapping[str, AttributeValue]]:
        """Return the attributes of each face."""
        if not 0 < len(faces) < self._max_size:
            return self._model.predict(faces)
        return self._batcher(faces)

    def _predict_all(
        self, calls: Sequence[Sequence[FaceView]]
    ) -> list[list[Mapping[str, AttributeValue]]]:
        answers = iter(self._model.predict([face for faces in calls for face in faces]))
        return [[next(answers) for _ in faces] for faces in calls]
