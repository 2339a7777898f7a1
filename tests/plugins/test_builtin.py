"""What our own registrations make of settings and manifests."""

from pathlib import Path

import attrs
import pytest

from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from facecv.core.ports.inference_backend import SessionOptions
from facecv.plugins import BuildRequest
from facecv.plugins.builtin import ArcFaceSettings
from facecv.plugins.manager import load
from tests import graphs


@pytest.mark.parametrize(
    ("declared", "setting", "flips"),
    [(None, None, False), (True, None, True), (True, False, False), (False, True, True)],
)
def test_flip_averaging_is_the_manifest_s_choice_unless_configured(
    tmp_path: Path, declared: bool | None, setting: bool | None, flips: bool
) -> None:
    model = graphs.arcface(tmp_path)
    settings = {} if declared is None else {"flip": declared}
    model = attrs.evolve(model, spec=attrs.evolve(model.spec, settings=settings))
    request = BuildRequest(
        ArcFaceSettings(flip=setting), model, OnnxRuntimeBackend(), SessionOptions(device="cpu")
    )
    embedder = load(third_party=False).provider("embedders", "arcface").build(request)
    assert embedder.space.preprocessing.endswith("+flip") is flips
