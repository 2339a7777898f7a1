"""What the networks behind an engine are fed, kept so that they can be run again on their own."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
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


@attrs.frozen(eq=False)
class Run:
    """A run of a network.

    Attributes:
        model: its file.
        session: the network, loaded.
        inputs: name to tensor.
    """

    model: ModelFile
    session: Session
    inputs: Inputs


@attrs.define(eq=False)
class Recorder:
    """Keeps the runs of all networks while it is on.

    Attributes:
        on: whether runs are kept.
        runs: what was kept.
    """

    on: bool = False
    runs: list[Run] = attrs.field(factory=list)

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
        for run in self.runs:
            run.session.run(run.inputs)


@attrs.frozen(eq=False)
class Published:
    """The same networks as they are published.

    Attributes:
        backend: loads files as they are.
        options: how.
    """

    backend: InferenceBackend
    options: SessionOptions
    _loaded: dict[Path, Session] = attrs.field(factory=dict, init=False)

    def again(self, runs: Sequence[Run]) -> Callable[[], None]:
        """Return what does recorded runs on them, with floats where the tensors are bytes."""
        bare = [
            (
                self._session(run.model),
                {name: tensor.astype(np.float32) for name, tensor in run.inputs.items()},
            )
            for run in runs
        ]

        def run_all() -> None:
            for session, inputs in bare:
                session.run(inputs)

        return run_all

    def _session(self, model: ModelFile) -> Session:
        if model.path not in self._loaded:
            self._loaded[model.path] = self.backend.load(model, self.options)
        return self._loaded[model.path]


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
        return RecordingSession(model, self.backend.load(model, options), self.recorder)


@attrs.frozen(eq=False)
class RecordingSession:
    """A network that tells a recorder about its runs."""

    model: ModelFile
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
            self.recorder.runs.append(Run(self.model, self.session, kept))
        return self.session.run(inputs)

    def close(self) -> None:
        """Free it."""
        self.session.close()
