"""What the networks behind an engine are fed, kept so that they can be run again on their own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray

from facecv.core.pack import ModelFile
from facecv.core.ports.inference_backend import (
    InferenceBackend,
    Placement,
    Session,
    SessionOptions,
    TensorSpec,
)

Inputs = Mapping[str, NDArray[Any]]
ResultT = TypeVar("ResultT")


@attrs.define(eq=False)
class Recorder:
    """Keeps the runs of all networks while it is on.

    Attributes:
        on: whether runs are kept.
        runs: network and inputs of each run.
    """

    on: bool = False
    runs: list[tuple[Session, Inputs]] = attrs.field(factory=list)

    def record(self, action: Callable[[], ResultT]) -> ResultT:
        """Return what an action gives, its runs kept in place of those kept before.

        It is done once before: networks that are loaded when they are first needed run on a probe.
        """
        action()
        self.runs.clear()
        self.on = True
        try:
            return action()
        finally:
            self.on = False

    def again(self) -> None:
        """Run the networks alone, on the tensors that were kept."""
        for session, inputs in self.runs:
            session.run(inputs)


@attrs.frozen(eq=False)
class RecordingBackend:
    """A backend whose networks tell a recorder about their runs.

    Attributes:
        backend: what loads them.
        recorder: what is told.
        as_published: whether networks take what their files say, never bytes.
    """

    backend: InferenceBackend
    recorder: Recorder
    as_published: bool = False

    def load(self, model: ModelFile, options: SessionOptions, /) -> "RecordingSession":
        """Return the network, loaded by the backend behind."""
        if self.as_published:
            options = attrs.evolve(options, pixels=None)
        return RecordingSession(self.backend.load(model, options), self.recorder)


@attrs.frozen(eq=False)
class RecordingSession:
    """A network that tells a recorder about its runs."""

    session: Session
    recorder: Recorder

    @property
    def inputs(self) -> Sequence[TensorSpec]:
        """Its inputs."""
        return self.session.inputs

    @property
    def outputs(self) -> Sequence[TensorSpec]:
        """Its outputs."""
        return self.session.outputs

    @property
    def provider(self) -> str:
        """What really runs it."""
        return self.session.provider

    @property
    def placement(self) -> Placement | None:
        """How much of it that runs."""
        return self.session.placement

    def run(self, inputs: Inputs, /) -> list[NDArray[Any]]:
        """Return all outputs."""
        if self.recorder.on:  # copied: callers may use their buffers again
            kept = {name: np.array(tensor) for name, tensor in inputs.items()}
            self.recorder.runs.append((self.session, kept))
        return self.session.run(inputs)

    def close(self) -> None:
        """Free it."""
        self.session.close()
