"""Networks in 8-bit integers and in half precision, with ONNX Runtime's tools.

Depthwise convolutions stay in single precision: they cost little, and their channels differ so
much in range that one scale for all of them hurts. For a MobileFaceNet the cosine to single
precision is .992 with and .974 without this; percentiles instead of extremes add nothing then.
PReLU, which has no integer kernel, becomes depthwise convolutions first: as it is, it took 0.6 of
the time of a MobileFaceNet in integers.
"""

import importlib
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
from numpy.typing import NDArray

from facecv.adapters.backends.processor import this_processor
from facecv.core.errors import ModelError, RuntimeMissingError
from facecv.core.pack import ModelFile
from facecv.core.ports.model_converter import Precision

Runs = Sequence[Mapping[str, NDArray[Any]]]

_OPSET = 17
_LEAST_OPSET = 13  # from which on scales may differ by channel
_WARNINGS, _ERRORS_ONLY = 2, 3  # as the library starts, and while it converts


class RunsReader:
    """Hands inputs of runs to ONNX Runtime's calibration, one after the other."""

    def __init__(self, runs: Runs) -> None:
        self._rest = iter(runs)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        """Return the next inputs; None: there are no more."""
        run = next(self._rest, None)
        return None if run is None else dict(run)


def convert(model: ModelFile, precision: Precision, runs: Runs, target: Path) -> None:
    """Write a variant of a network; see `ModelConverter`."""
    onnx = _imported("onnx")
    try:
        network = onnx.load(str(model.path))
    except Exception as error:  # whatever protobuf raises
        raise ModelError(f"{model.path} cannot be read as an ONNX network: {error}") from error
    _check_single(network, model)
    try:
        with _quiet():
            if precision == "fp16":
                _halve(network, target)
            else:
                _quantise(network, runs, target)
    except Exception as error:  # the libraries' errors have no common root
        words = str(error).strip().partition("\n")[0]
        raise ModelError(f"{model.spec.name!r} cannot be made {precision}: {words}") from error


def _check_single(network: Any, model: ModelFile) -> None:  # noqa: ANN401 - no types
    """Raise `ModelError` unless a network computes in single precision."""
    precision = _imported("facecv.adapters.backends.graph.precision")
    quantised = precision.computes_in_integers(network)
    if quantised or precision.computes_in_half(network):
        raise ModelError(
            f"{model.spec.name!r} is {'int8' if quantised else 'fp16'} already",
            hint="name the network in single precision that it was made of",
        )


def _halve(network: Any, target: Path) -> None:  # noqa: ANN401 - no types
    float16 = _imported("onnxruntime.transformers.float16")
    onnx = _imported("onnx")
    onnx.save(float16.convert_float_to_float16(network, keep_io_types=True), str(target))


def _quantise(network: Any, runs: Runs, target: Path) -> None:  # noqa: ANN401 - no types
    tools, onnx = _imported("onnxruntime.quantization"), _imported("onnx")
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.onnx"
        onnx.save(_upgraded(network, onnx), str(ready))
        tools.shape_inference.quant_pre_process(str(ready), str(ready), skip_symbolic_shape=True)
        network, kept = _without_prelu(onnx.load(str(ready)))
        kept += _named_depthwise(network)
        onnx.save(network, str(ready))
        tools.quantize_static(
            str(ready),
            str(target),
            RunsReader(runs),
            quant_format=tools.QuantFormat.QDQ,
            activation_type=tools.QuantType.QUInt8,
            weight_type=tools.QuantType.QInt8,
            per_channel=True,
            reduce_range=_overflows(),
            nodes_to_exclude=kept,
        )


def _upgraded(network: Any, onnx: Any) -> Any:  # noqa: ANN401 - no types
    """Return a network whose operators can be quantised by channel."""
    versions = [one.version for one in network.opset_import if one.domain in {"", "ai.onnx"}]
    if max(versions, default=_OPSET) >= _LEAST_OPSET:
        return network
    return onnx.version_converter.convert_version(network, _OPSET)


def _without_prelu(network: Any) -> tuple[Any, list[str]]:  # noqa: ANN401 - no types
    """Return a network with its PReLUs rewritten, and the names of the nodes that replace them."""
    editing = _imported("facecv.adapters.backends.graph.editing")
    prelu = _imported("facecv.adapters.backends.graph.prelu")
    before = {one.name for one in network.graph.node}
    graph = editing.Graph(network)
    prelu.rewrite_prelu(graph)
    network = graph.finish()
    return network, [one.name for one in network.graph.node if one.name not in before]


def _named_depthwise(network: Any) -> list[str]:  # noqa: ANN401 - no types
    """Give every node a name, and return those of convolutions whose channels do not mix."""
    for place, one in enumerate(network.graph.node):
        one.name = one.name or f"{one.op_type}/{place}"
    return [
        one.name
        for one in network.graph.node
        if one.op_type == "Conv" and any(a.name == "group" and a.i > 1 for a in one.attribute)
    ]


def _overflows() -> bool:
    """Say whether sums of 8-bit products overflow here unless weights have 7 bits."""
    features = this_processor().name
    return "avx2" in features and "vnni" not in features


def _imported(name: str) -> Any:  # noqa: ANN401 - no types
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise RuntimeMissingError(
            f"converting networks takes the package {error.name or 'onnx'}, which is not installed",
            hint="run: pip install 'facecv[cpu]'",
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the tools say out of everybody's output: their sessions have no settings."""

    def passed_on(record: logging.LogRecord) -> bool:
        structlog.get_logger().debug("conversion", said=record.getMessage())
        return False

    root, runtime = logging.getLogger(), _imported("onnxruntime")
    root.addFilter(passed_on)
    runtime.set_default_logger_severity(_ERRORS_ONLY)
    try:
        yield
    finally:
        runtime.set_default_logger_severity(_WARNINGS)
        root.removeFilter(passed_on)
