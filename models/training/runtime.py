"""The published networks that recipes ask, run by ONNX Runtime as they are."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from facecv.core.arrays import Floats


def loaded(path: Path, threads: int = 0) -> Callable[[Floats], list[Floats]]:
    """Return a network of one input; called with it, it returns its outputs.

    ONNX Runtime's reports to its maker are off unless ORT_DISABLE_TELEMETRY says otherwise: the
    Linux wheels from 1.29 on send some of every session.

    Args:
        path: the ONNX file.
        threads: how many; 0: all cores.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime as ort  # noqa: PLC0415 - reads the variable when it is imported

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3  # errors only
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda tensor: [np.asarray(out, np.float32) for out in session.run(None, {name: tensor})]
