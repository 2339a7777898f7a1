"""Networks that are given bytes and normalise them where they run.

A quarter of the bytes cross the bus then, and no processor turns them into floats.
"""

import importlib
from importlib.util import find_spec

import structlog

from facecv.core.pack import InputSpec, ModelFile


def taking_bytes(model: ModelFile, spec: InputSpec) -> bytes | None:
    """Return the content of a network that normalises its input itself; None: it cannot be had.

    Args:
        model: the network.
        spec: how its input is normalised.
    """
    if find_spec("onnx") is None:
        _log().info("pixels not normalised there", model=model.spec.name, why="no package onnx")
        return None
    normalising = importlib.import_module("facecv.adapters.backends.graph.normalising")
    try:
        written: bytes = normalising.take_bytes(model.path.read_bytes(), spec)
    except (OSError, ValueError) as error:
        _log().info("pixels not normalised there", model=model.spec.name, why=str(error))
        return None
    return written


def _log() -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger()
    return logger
