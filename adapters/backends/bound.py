"""Runs of a network with buffers on the GPU that stay, so that no run allocates any for its input.

With CUDA graphs, the launches of a run are recorded once for each shape of the input and played
back as one from then on. That wants the same addresses each time, so such runs share one set of
buffers, and one thread makes them all (see `one_thread`).
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from numpy.typing import NDArray

from facecv.adapters.backends.transfers import Inputs, PlainTransfers, Transfers

Key = tuple[tuple[str, tuple[int, ...], str], ...]

_KEPT = 4
"""Shapes of which a thread keeps buffers."""

_CAPTURED = 16
"""Shapes that are recorded; whatever else comes runs as without CUDA graphs."""

_GRAPH_ID = "gpu_graph_id"
_NO_GRAPH = "-1"


@attrs.frozen(eq=False)
class Buffers:
    """A binding of a session, and the inputs that are bound to it.

    Attributes:
        binding: an ``onnxruntime.IOBinding``.
        inputs: name to ``onnxruntime.OrtValue`` on the device.
        transfers: copies to and from the device.
    """

    binding: Any
    inputs: Mapping[str, Any]
    transfers: Transfers

    def fill(self, inputs: Inputs) -> None:
        """Copy the inputs to the device."""
        self.transfers.send(inputs, self.inputs)

    def answers(self) -> list[NDArray[Any]]:
        """Return copies of the outputs."""
        return self.transfers.fetch(self.binding)


@attrs.frozen(eq=False)
class Maker:
    """Makes buffers for a session."""

    runtime: Any
    session: Any
    device: str
    outputs: Sequence[str]
    transfers: Transfers

    def make(self, inputs: Inputs) -> Buffers:
        """Return buffers for inputs of these shapes; no output is bound yet."""
        binding = self.session.io_binding()
        values = {}
        for name, array in inputs.items():
            values[name] = self.runtime.OrtValue.ortvalue_from_shape_and_type(
                list(array.shape), array.dtype.type, self.device, 0
            )
            binding.bind_ortvalue_input(name, values[name])
        return Buffers(binding, values, self.transfers)

    def bind_outputs(self, buffers: Buffers, device: str) -> None:
        """Let the library allocate the outputs of the next run."""
        for name in self.outputs:
            buffers.binding.bind_output(name, device)


class BoundRuns:
    """Runs a session; may be called from several threads.

    Attributes:
        maker: makes its buffers.

    Args:
        runtime: the package ``onnxruntime``.
        session: an ``onnxruntime.InferenceSession``.
        device: where its input is wanted, in the library's words.
        transfers: copies to and from the device; None: ONNX Runtime does.
    """

    def __init__(
        self,
        runtime: Any,  # noqa: ANN401 - the library has no types
        session: Any,  # noqa: ANN401
        device: str = "cuda",
        transfers: Transfers | None = None,
    ) -> None:
        names = [output.name for output in session.get_outputs()]
        self.maker = Maker(runtime, session, device, names, transfers or PlainTransfers())
        self._own = threading.local()

    def __call__(self, inputs: Inputs, options: Any = None) -> list[NDArray[Any]]:  # noqa: ANN401
        """Return the outputs; raises what the library raises.

        Args:
            inputs: name to array.
            options: ``onnxruntime.RunOptions``.
        """
        buffers = self._buffers(inputs)
        buffers.fill(inputs)
        # anew: their shapes may depend on what is seen
        self.maker.bind_outputs(buffers, self.maker.transfers.outputs_on)
        self.maker.session.run_with_iobinding(buffers.binding, options)
        return buffers.answers()

    def _buffers(self, inputs: Inputs) -> Buffers:
        """Return this thread's buffers for inputs of these shapes."""
        kept: OrderedDict[Key, Buffers] | None = getattr(self._own, "kept", None)
        if kept is None:
            kept = self._own.kept = OrderedDict()
        key = key_of(inputs)
        if key not in kept:
            kept[key] = self.maker.make(inputs)
            if len(kept) > _KEPT:
                kept.popitem(last=False)
        kept.move_to_end(key)
        return kept[key]


class CapturedRuns:
    """Runs a session whose provider records CUDA graphs; always to be called from one thread.

    Args:
        plain: runs the session without recording.
    """

    def __init__(self, plain: BoundRuns) -> None:
        self._plain = plain
        self._maker = plain.maker
        self._graphs: dict[Key, tuple[Buffers, Any]] = {}

    def __call__(self, inputs: Inputs) -> list[NDArray[Any]]:
        """Return the outputs; raises what the library raises."""
        key = key_of(inputs)
        if key not in self._graphs and len(self._graphs) >= _CAPTURED:
            return self._plain(inputs, self._options(_NO_GRAPH))
        buffers, options = self._graphs.get(key) or self._prepare(key, inputs)
        buffers.fill(inputs)
        self._maker.session.run_with_iobinding(buffers.binding, options)
        return buffers.answers()

    def _prepare(self, key: Key, inputs: Inputs) -> tuple[Buffers, Any]:
        """Return buffers and options for a shape that comes for the first time.

        One run that is not recorded tells the shapes of the outputs; its outputs are then the
        buffers that the recorded runs write to.
        """
        buffers = self._maker.make(inputs)
        buffers.fill(inputs)
        self._maker.bind_outputs(buffers, self._maker.device)
        self._maker.session.run_with_iobinding(buffers.binding, self._options(_NO_GRAPH))
        outputs = buffers.binding.get_outputs()
        for name, value in zip(self._maker.outputs, outputs, strict=True):
            buffers.binding.bind_ortvalue_output(name, value)
        self._graphs[key] = (buffers, self._options(str(len(self._graphs) + 1)))
        return self._graphs[key]

    def _options(self, graph: str) -> Any:  # noqa: ANN401 - the library has no types
        options = self._maker.runtime.RunOptions()
        options.add_run_config_entry(_GRAPH_ID, graph)
        return options


def key_of(inputs: Inputs) -> Key:
    """Return what buffers must be alike in to be used for inputs."""
    return tuple((name, array.shape, array.dtype.str) for name, array in inputs.items())
