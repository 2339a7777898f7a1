"""Our attribute models as the configuration gets them."""

from collections.abc import Callable
from pathlib import Path

import attrs
import numpy as np
import pytest

from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from facecv.core.errors import ModelError
from facecv.core.liveness import LivenessLimits
from facecv.core.pack import ModelFile
from facecv.core.ports.inference_backend import SessionOptions
from facecv.plugins import BuildRequest, builtin
from facecv.plugins.manager import catalogue_of
from tests import graphs

KIND = "attribute_models"
CATALOGUE = catalogue_of(builtin)


def declared(folder: Path) -> ModelFile:
    model = graphs.genderage(folder)
    settings = {"columns": ["age", "hat=on", "hat=off"]}
    return attrs.evolve(model, spec=attrs.evolve(model.spec, settings=settings))


def zeros(name: str, side: int, length: int) -> Callable[[Path], ModelFile]:
    """Return what makes a network of this signature."""
    return lambda folder: graphs.linear(folder, name, np.zeros((3, length)), side=side)


NETWORKS = {
    "genderage": graphs.genderage,
    "genderage-v1": zeros("genderage_v1", 112, 202),
    "minifasnet": zeros("2.7_80x80_MiniFASNetV2", 80, 3),
    "fsanet": zeros("fsanet", 64, 3),
    "landmarks-106": zeros("2d106det", 192, 212),
    "landmarks-68": zeros("1k3d68", 192, 3309),
    "columns": declared,
}


def request(name: str, model: ModelFile | None) -> BuildRequest:
    """Return a request with the settings that nobody changed."""
    settings = CATALOGUE.provider(KIND, name).settings()
    options = SessionOptions(device="cpu", threads=1)
    return BuildRequest(settings, model, OnnxRuntimeBackend(), options)


@pytest.mark.parametrize("name", CATALOGUE.names(KIND))
def test_what_is_declared_is_what_the_model_tells(tmp_path: Path, name: str) -> None:
    """A request loads a model because of what its provider declares."""
    provider = CATALOGUE.provider(KIND, name)
    model = NETWORKS[name](tmp_path) if provider.needs_model else None
    assert provider.provides is not None
    promised = provider.provides(model.spec if model else None)
    assert promised
    assert provider.build(request(name, model)).provides == promised


def test_rules_without_a_network_are_fall_backs() -> None:
    providers = [CATALOGUE.provider(KIND, name) for name in CATALOGUE.names(KIND)]
    assert [one.fallback for one in providers] == [not one.needs_model for one in providers]


@pytest.mark.parametrize("name", ["minifasnet", "fsanet"])
def test_ensembles_run_all_their_networks(tmp_path: Path, name: str) -> None:
    """What belongs to the file is loaded with it."""
    model = NETWORKS[name](tmp_path)
    wrong = graphs.genderage(tmp_path, side=96)
    model = attrs.evolve(model, parts=(wrong,))
    with pytest.raises(ModelError, match=r"genderage|FSA-Net"):
        CATALOGUE.provider(KIND, name).build(request(name, model))


def test_the_limits_of_liveness_are_settings(tmp_path: Path) -> None:
    """Section ``[attribute_models.minifasnet]``."""
    provider = CATALOGUE.provider(KIND, "minifasnet")
    assert provider.settings is LivenessLimits
    model = NETWORKS["minifasnet"](tmp_path)
    with pytest.raises(ValueError, match="min_room"):
        LivenessLimits(min_room=0.5)
    strict = attrs.evolve(request("minifasnet", model), settings=LivenessLimits(min_face=500))
    assert provider.build(strict).needs[0].scale == 2.7
