"""A network loaded by ONNX Runtime."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facecv.adapters.backends.one_thread import OneThread, at_once
from facecv.adapters.backends.placement import placement_of
from facecv.core.errors import InferenceError
from facecv.core.ports.inference_backend import Placement, TensorSpec

Run = Callable[[Mapping[str, NDArray[Any]]], list[NDArray[Any]]]
_DTYPES = {"tensor(float)": "float32", "tensor(double)": "float64"}


class OnnxSession:
    """A network in an ``onnxruntime.InferenceSession``; may be run from several threads.

    Attributes:
        inputs: in the file's order.
        outputs: in the file's order.
        provider: the execution provider that runs it, such as ``CPUExecutionProvider``.
        placement: how much of it that runs; None: this ONNX Runtime does not tell.
    """

    def __init__(
        self,
        session: Any,  # noqa: ANN401 - no types
        run: Run | None = None,
        thread: OneThread | None = None,
    ) -> None:
        """Take an ``onnxruntime.InferenceSession``.

        Args:
            session: the network.
            run: runs it and returns all outputs; None: as `unbound` does.
            thread: does all that touches the network; None: the caller's does.
        """
        self._on = thread or at_once
        self._run: Run | None = run or unbound(session)
        self.inputs = tuple(map(_spec, session.get_inputs()))
        self.outputs = tuple(map(_spec, session.get_outputs()))
        self.provider = str(session.get_providers()[0])
        self.placement: Placement | None = placement_of(session, self.provider)

    def run(self, inputs: Mapping[str, NDArray[Any]], /) -> list[NDArray[Any]]:
        """Return all outputs, in the file's order.

        Raises:
            InferenceError: the network failed, or is closed.
        """
        return self._on(partial(self._outputs, inputs))

    def close(self) -> None:
        """Free the network once no run uses it any more. May be called twice."""
        self._on(self._forget)

    def _outputs(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        run = self._run
        if run is None:
            raise InferenceError("the network was closed and cannot run any more")
        try:
            outputs = run(inputs)
        except InferenceError:
            raise
        except Exception as error:  # the library's errors have no common root
            raise InferenceError(f"the network failed: {_first_line(error)}") from error
        return [np.asarray(output) for output in outputs]

    def _forget(self) -> None:
        self._run = None


def unbound(session: Any) -> Run:  # noqa: ANN401 - the library has no types
    """Return a run as an ``onnxruntime.InferenceSession`` makes it by itself."""
    return lambda inputs: list(session.run(None, dict(inputs)))


def limited(run: Run, largest: Mapping[str, tuple[int, ...]]) -> Run:
    """Return a run that raises `InferenceError` for inputs larger than `largest` says, by name."""

    def checked(inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        for name, most in largest.items():
            shape = inputs[name].shape
            if any(side > limit for side, limit in zip(shape, most, strict=True)):
                raise InferenceError(
                    f"{name} is {_by(shape)}, and the network was built for {_by(most)} at most",
                    hint="take a smaller input size or batch, or raise max_side in "
                    "[backends.onnxruntime], which builds another engine",
                )
        return run(inputs)

    return checked if largest else run


def _by(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def dtype_of(kind: str) -> str:
    """Return numpy's name for what the library calls ``tensor(float)``."""
    return _DTYPES.get(kind, kind.removeprefix("tensor(").removesuffix(")"))


def _spec(value: Any) -> TensorSpec:  # noqa: ANN401 - the library has no types
    shape = tuple(axis if isinstance(axis, int) else None for axis in value.shape)
    return TensorSpec(value.name, shape, dtype_of(str(value.type)))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
