"""A network compiled by OpenVINO."""

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facecv.core.errors import InferenceError
from facecv.core.ports.inference_backend import Placement, TensorSpec


class OpenVinoSession:
    """A network in an ``openvino.CompiledModel``; may be run from several threads.

    Attributes:
        inputs: in the file's order.
        outputs: in the file's order.
        provider: what runs it, such as ``OpenVINO CPU``.
        placement: all of it; OpenVINO compiles a network for one device or not at all.
    """

    def __init__(self, compiled: Any) -> None:  # noqa: ANN401 - the library has no types
        """Take an ``openvino.CompiledModel``."""
        self._compiled = compiled
        self.inputs = tuple(map(_spec, compiled.inputs))
        self.outputs = tuple(map(_spec, compiled.outputs))
        self.provider = f"OpenVINO {compiled.get_property('EXECUTION_DEVICES')[0]}"
        self.placement = Placement()
        self._requests = threading.local()

    def run(self, inputs: Mapping[str, NDArray[Any]], /) -> list[NDArray[Any]]:
        """Return all outputs, in the file's order.

        Raises:
            InferenceError: the network failed, or is closed.
        """
        compiled = self._compiled
        if compiled is None:
            raise InferenceError("the network was closed and cannot run any more")
        try:
            request = self._request(compiled)
            request.infer(dict(inputs), share_inputs=True, share_outputs=True)
            outputs = [request.get_output_tensor(place) for place in range(len(self.outputs))]
            return [np.array(output.data) for output in outputs]  # the next run writes there again
        except Exception as error:  # the library's errors have no common root
            words = str(error).strip().splitlines() or [type(error).__name__]
            raise InferenceError(f"the network failed: {words[-1]}") from error

    def close(self) -> None:
        """Free the network once no run uses it any more. May be called twice."""
        self._compiled = None
        self._requests = threading.local()

    def _request(self, compiled: Any) -> Any:  # noqa: ANN401 - the library has no types
        """Return this thread's own request: what OpenVINO needs for a run that goes on."""
        request = getattr(self._requests, "own", None)
        if request is None:
            request = compiled.create_infer_request()
            self._requests.own = request
        return request


def _spec(port: Any) -> TensorSpec:  # noqa: ANN401 - the library has no types
    shape = tuple(
        None if axis.is_dynamic else int(axis.get_length()) for axis in port.get_partial_shape()
    )
    return TensorSpec(port.get_any_name(), shape, str(np.dtype(port.get_element_type().to_dtype())))
