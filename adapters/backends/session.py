"""A network loaded by ONNX Runtime."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facecv.adapters.backends.placement import placement_of
from facecv.core.errors import InferenceError
from facecv.core.ports.inference_backend import Placement, TensorSpec

Run = Callable[[Mapping[str, NDArray[Any]]], list[NDArray[Any]]]
_DTYPES = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(float16)": "float16"}


class OnnxSession:
    """A network in an ``onnxruntime.InferenceSession``; may be run from several threads.

    Attributes:
        inputs: in the file's order.
        outputs: in the file's order.
        provider: the execution provider that runs it, such as ``CPUExecutionProvider``.
        placement: how much of it that runs; None: this ONNX Runtime does not tell.
    """

    def __init__(self, session: Any, run: Run | None = None) -> None:  # noqa: ANN401 - no types
        """Take an ``onnxruntime.InferenceSession``.

        Args:
            session: the network.
            run: runs it and returns all outputs; None: as the session itself does.
        """
        self._run: Run | None = run or (lambda inputs: list(session.run(None, dict(inputs))))
        self.inputs = tuple(map(_spec, session.get_inputs()))
        self.outputs = tuple(map(_spec, session.get_outputs()))
        self.provider = str(session.get_providers()[0])
        self.placement: Placement | None = placement_of(session, self.provider)

    def run(self, inputs: Mapping[str, NDArray[Any]], /) -> list[NDArray[Any]]:
        """Return all outputs, in the file's order.

        Raises:
            InferenceError: the network failed, or is closed.
        """
        run = self._run
        if run is None:
            raise InferenceError("the network was closed and cannot run any more")
        try:
            outputs = run(inputs)
        except Exception as error:  # the library's errors have no common root
            raise InferenceError(f"the network failed: {_first_line(error)}") from error
        return [np.asarray(output) for output in outputs]

    def close(self) -> None:
        """Free the network once no run uses it any more. May be called twice."""
        self._run = None


def _spec(value: Any) -> TensorSpec:  # noqa: ANN401 - the library has no types
    shape = tuple(axis if isinstance(axis, int) else None for axis in value.shape)
    dtype = _DTYPES.get(value.type, str(value.type).removeprefix("tensor(").removesuffix(")"))
    return TensorSpec(value.name, shape, dtype)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
