"""Head pose by several networks, on small ones of the published signature."""

from pathlib import Path

import numpy as np
import pytest

from facecv.adapters.attributes.fsanet import FSANet
from facecv.core.attributes import BoxCropNeed, HeadPose
from facecv.core.errors import ModelSignatureError
from facecv.core.pack import ModelFile
from facecv.plugins.contracts.attribute_model import AttributeModelContract
from tests import graphs
from tests.adapters.attributes.loading import opened
from tests.adapters.attributes.views import view


def network(folder: Path, name: str, factor: float) -> ModelFile:
    """Return a network whose yaw, pitch and roll are `factor` times blue, green and red."""
    return graphs.linear(folder, name, np.eye(3) * factor, side=64, batch=1)


def load(folder: Path) -> FSANet:
    factors = {"one": 8.0, "other": 16.0}
    models = [network(folder, name, factor) for name, factor in factors.items()]
    return FSANet([opened(model) for model in models], "fsanet")


class TestFSANetContract(AttributeModelContract):
    @pytest.fixture
    def model(self, tmp_path: Path) -> FSANet:
        return load(tmp_path)


def test_gives_the_mean_of_its_networks_in_our_directions(tmp_path: Path) -> None:
    """Pixels are BGR, (x - 127.5) / 128; a yaw to the left is below 0 with us."""
    crop = np.full((64, 64, 3), (255, 127, 0), np.uint8)
    (said,) = load(tmp_path).predict([view(crop)])
    pose = said["pose"].value
    assert isinstance(pose, HeadPose)
    angles = np.array([255 - 127.5, 127 - 127.5, 0 - 127.5]) / 128 * 12
    assert (pose.yaw, pose.pitch, pose.roll) == pytest.approx((-angles[0], *angles[1:]), abs=1e-4)
    assert said["pose"].model == "fsanet"


def test_looks_at_a_loose_square(tmp_path: Path) -> None:
    """The network was trained on loose crops."""
    assert load(tmp_path).needs == (BoxCropNeed(64, 1.5),)


def test_other_networks_are_refused(tmp_path: Path) -> None:
    """It takes three numbers from each, and crops of one size."""
    wide = graphs.linear(tmp_path, "wide", np.zeros((3, 4)), side=64)
    large = graphs.linear(tmp_path, "large", np.eye(3), side=112)
    for models in ([wide], [network(tmp_path, "one", 1.0), large]):
        with pytest.raises(ModelSignatureError, match="not FSA-Net"):
            FSANet([opened(model) for model in models], "fsanet")
