"""A network compiled by OpenVINO."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facecv.core.errors import InferenceError
from facecv.core.ports.inference_backend import Placement, TensorSpec

Shapes = tuple[tuple[int, ...], ...]

_COPIES = 4
"""How often a network may be compiled, each time for pictures of another size."""

_CHANGES = 8
"""Changes of size that are worth another copy: each costs about a millisecond, a copy a hundred."""


class OpenVinoSession:
    """A network in an ``openvino.CompiledModel``; may be run from several threads.

    A compiled network prepares all its operators anew whenever the shape of its input is not that
    of the run before. For a detector that looks at each picture at two sizes that was a fifth of
    the time (det_500m in bf16 at 640 and 192 pixels in turn: 5.9 ms, with two copies 4.8). So one
    that takes pictures of any size is compiled again, up to three times, when sizes have changed
    often enough. (Copies for fixed sizes would save another half millisecond, but round otherwise
    in bf16.) Other numbers of pictures cost too little for that.

    Attributes:
        inputs: in the file's order.
        outputs: in the file's order.
        provider: what runs it, such as ``OpenVINO CPU``.
        placement: all of it; OpenVINO compiles a network for one device or not at all.
    """

    def __init__(self, compile_network: Callable[[], Any]) -> None:
        """Take what returns an ``openvino.CompiledModel``, a new one each time."""
        compiled = compile_network()
        self.inputs = tuple(map(_spec, compiled.inputs))
        self.outputs = tuple(map(_spec, compiled.outputs))
        self.provider = f"OpenVINO {compiled.get_property('EXECUTION_DEVICES')[0]}"
        self.placement = Placement()
        sizes_differ = any(None in tensor.shape[1:] for tensor in self.inputs)
        self._networks: _Networks | None = _Networks(
            compiled, compile_network if sizes_differ else None
        )

    def run(self, inputs: Mapping[str, NDArray[Any]], /) -> list[NDArray[Any]]:
        """Return all outputs, in the file's order.

        Raises:
            InferenceError: the network failed, or is closed.
        """
        networks = self._networks
        if networks is None:
            raise InferenceError("the network was closed and cannot run any more")
        try:
            request = networks.request(tuple(array.shape for array in inputs.values()))
            request.infer(dict(inputs), share_inputs=True, share_outputs=True)
            outputs = [request.get_output_tensor(place) for place in range(len(self.outputs))]
            return [np.array(output.data) for output in outputs]  # the next run writes there again
        except Exception as error:  # the library's errors have no common root
            words = str(error).strip().splitlines() or [type(error).__name__]
            raise InferenceError(f"the network failed: {words[-1]}") from error

    def close(self) -> None:
        """Free the network once no run uses it any more. May be called twice."""
        self._networks = None


class _Network:
    """One compiled network, and the requests of all threads for it."""

    def __init__(self, compiled: Any) -> None:  # noqa: ANN401 - the library has no types
        self._compiled = compiled
        self._requests = threading.local()

    def request(self) -> Any:  # noqa: ANN401 - the library has no types
        """Return this thread's own request: what OpenVINO needs for a run that goes on."""
        request = getattr(self._requests, "own", None)
        if request is None:
            request = self._requests.own = self._compiled.create_infer_request()
        return request


class _Networks:
    """Copies of a compiled network, each for the shape of input that it ran on last."""

    def __init__(self, compiled: Any, compile_network: Callable[[], Any] | None) -> None:  # noqa: ANN401
        self._compile = compile_network
        self._by_shape = OrderedDict[Shapes, _Network]({(): _Network(compiled)})
        self._changes = 0
        self._lock = threading.Lock()

    def request(self, shapes: Shapes) -> Any:  # noqa: ANN401 - the library has no types
        """Return this thread's request of the copy for inputs of these shapes."""
        with self._lock:
            network = self._by_shape.pop(shapes, None) or self._changed()
            self._by_shape[shapes] = network
        return network.request()

    def _changed(self) -> _Network:
        """Return a copy for a shape that none has: a new one, or that of the oldest shape."""
        self._changes += 1
        due = self._changes % _CHANGES == 0 and len(self._by_shape) < _COPIES
        if self._compile is not None and due:
            return _Network(self._compile())
        return self._by_shape.popitem(last=False)[1]


def _spec(port: Any) -> TensorSpec:  # noqa: ANN401 - the library has no types
    shape = tuple(
        None if axis.is_dynamic else int(axis.get_length()) for axis in port.get_partial_shape()
    )
    return TensorSpec(port.get_any_name(), shape, str(np.dtype(port.get_element_type().to_dtype())))
