"""A backend whose networks are Python functions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
from numpy.typing import NDArray

from facecv.core.errors import InferenceError, ModelError
from facecv.core.pack import ModelFile
from facecv.core.ports.inference_backend import Placement, SessionOptions, TensorSpec

Network = Callable[[Mapping[str, NDArray[Any]]], list[NDArray[Any]]]


@attrs.define
class FakeSession:
    """Runs `network`, and checks names and shapes before; `runs` keeps the inputs' shapes.

    ``FakeSession(lambda inputs: [inputs["x"] * 2], [TensorSpec("x", (None, 2), "float32")], [])``
    """

    network: Network
    inputs: Sequence[TensorSpec]
    outputs: Sequence[TensorSpec]
    provider: str = "FakeExecutionProvider"
    placement: Placement | None = None
    runs: list[dict[str, tuple[int, ...]]] = attrs.field(factory=list)
    closed: bool = False

    def run(self, inputs: Mapping[str, NDArray[Any]], /) -> list[NDArray[Any]]:
        if self.closed:
            raise InferenceError("the network was closed")
        for spec in self.inputs:
            if spec.name not in inputs or not _fits(spec.shape, inputs[spec.name].shape):
                raise InferenceError(f"{spec.name} {spec.shape} is wanted")
        self.runs.append({name: array.shape for name, array in inputs.items()})
        return self.network(inputs)

    def close(self) -> None:
        self.closed = True


@attrs.frozen
class FakeBackend:
    """Gives `session` for every file that begins with ``fake``."""

    session: FakeSession

    def load(self, model: ModelFile, options: SessionOptions, /) -> FakeSession:
        if not model.path.is_file() or not model.path.read_bytes().startswith(b"fake"):
            raise ModelError(f"{model.path} is not a network")
        return self.session


def _fits(wanted: Sequence[int | None], shape: Sequence[int]) -> bool:
    return len(wanted) == len(shape) and all(
        want in {None, got} for want, got in zip(wanted, shape, strict=True)
    )
