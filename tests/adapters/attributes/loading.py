"""Loading small networks for tests: ``opened(model)``."""

from typing import Any

import attrs

from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from facecv.core.pack import ModelFile
from facecv.core.ports.inference_backend import Session, SessionOptions


def opened(model: ModelFile) -> Session:
    """Return a network, loaded on one thread of the CPU."""
    return OnnxRuntimeBackend().load(model, SessionOptions(device="cpu", threads=1))


def with_settings(model: ModelFile, **settings: Any) -> ModelFile:
    """Return a model whose manifest has these settings."""
    return attrs.evolve(model, spec=attrs.evolve(model.spec, settings=settings))
