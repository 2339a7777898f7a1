"""Liveness by several networks, on small ones of the published signature."""

from pathlib import Path

import numpy as np
import pytest

from facecv.adapters.attributes.minifasnet import MiniFASNet
from facecv.core.arrays import Pixels
from facecv.core.attributes import AttributeValue, BoxCropNeed
from facecv.core.errors import ManifestError, ModelSignatureError
from facecv.core.face_view import FaceView
from facecv.core.geometry import Box
from facecv.core.liveness import LivenessLimits
from facecv.core.pack import ModelFile
from facecv.plugins.contracts.attribute_model import AttributeModelContract
from tests import graphs
from tests.adapters.attributes.loading import opened, with_settings
from tests.adapters.attributes.views import view

SMALL_BOX = Box(100, 100, 200, 240)
LIVE, SPOOF = (40, 40, 200), (200, 40, 40)


def network(folder: Path, name: str) -> ModelFile:
    """Return a network to which red is live and blue is not: logits are colours / 32."""
    matrix = np.array([[0, 0, 1], [0, 0, 0], [0, 1, 0]]) / 32
    return graphs.linear(folder, name, matrix, side=80)


def load(folder: Path, limits: LivenessLimits | None = None) -> MiniFASNet:
    names = ("2.7_80x80_MiniFASNetV2", "4_0_0_80x80_MiniFASNetV1SE")
    models = [network(folder, name) for name in names]
    return MiniFASNet([(opened(model), model) for model in models], limits)


def face(*shades: tuple[int, int, int], box: Box = SMALL_BOX, side: int = 640) -> FaceView:
    """Return a face in a square picture whose crops have these colours, in BGR."""
    crops: list[Pixels] = [np.full((80, 80, 3), shade, np.uint8) for shade in shades]
    return view(*crops, box=box, width=side, height=side)


def judged(model: MiniFASNet, one: FaceView) -> AttributeValue:
    (said,) = model.predict([one])
    return said["liveness"]


class TestMiniFASNetContract(AttributeModelContract):
    @pytest.fixture
    def model(self, tmp_path: Path) -> MiniFASNet:
        return load(tmp_path)


def test_looks_at_each_scale_inside_the_picture(tmp_path: Path) -> None:
    """The names of the published files say at which."""
    narrow, wide = BoxCropNeed(80, 2.7, inside=True), BoxCropNeed(80, 4.0, inside=True)
    assert load(tmp_path).needs == (narrow, wide)


def test_the_manifest_may_say_the_scale(tmp_path: Path) -> None:
    """It wins over the name."""
    model = with_settings(network(tmp_path, "2.7_80x80_other"), crop_scale=3)
    assert MiniFASNet([(opened(model), model)]).needs == (BoxCropNeed(80, 3.0, inside=True),)


@pytest.mark.parametrize("scale", [None, 0.5, "large", True])
def test_a_scale_that_nobody_says_is_refused(tmp_path: Path, scale: object) -> None:
    """So is one that makes no sense."""
    model = with_settings(network(tmp_path, "antispoof"), crop_scale=scale)
    with pytest.raises(ManifestError, match="antispoof looks at"):
        MiniFASNet([(opened(model), model)])


def test_the_networks_are_averaged(tmp_path: Path) -> None:
    """Each gives probabilities for its own crop."""
    model = load(tmp_path)
    assert judged(model, face(LIVE, LIVE)).value == "live"
    assert judged(model, face(SPOOF, SPOOF)).value == "spoof"
    both = judged(model, face(LIVE, SPOOF))
    assert both.probabilities["live"] == pytest.approx(0.5, abs=0.01)
    assert sum(both.probabilities.values()) == pytest.approx(1)
    assert both.model == "2.7_80x80_MiniFASNetV2"


def test_the_threshold_decides(tmp_path: Path) -> None:
    """A strict one takes more for spoofs."""
    strict = load(tmp_path, LivenessLimits(threshold=0.999))
    said = judged(strict, face((100, 40, 200), (100, 40, 200)))
    assert said.value == "spoof"
    assert said.score == said.probabilities["spoof"] < 0.5


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (face(LIVE, LIVE, box=Box(100, 100, 140, 160)), "too small"),
        (face(LIVE, LIVE, box=Box(-20, 100, 100, 250)), "cut off"),
        (face(LIVE, LIVE, box=Box(20, 20, 90, 110), side=112), "cut off"),
        (face((9, 9, 9), LIVE), "too dark"),
    ],
)
def test_faces_that_cannot_be_judged_are_rejected_with_the_reason(
    tmp_path: Path, one: FaceView, reason: str
) -> None:
    """No network is asked about them; the faces beside them are judged."""
    rejected, spoof = load(tmp_path).predict([one, face(SPOOF, SPOOF)])
    said = rejected["liveness"]
    assert (said.value, said.reason, said.score) == ("rejected", reason, None)
    assert spoof["liveness"].value == "spoof"


def test_darkness_is_that_of_the_face(tmp_path: Path) -> None:
    """Night around a lit face does not matter."""
    crop = np.zeros((80, 80, 3), np.uint8)
    crop[22:58, 22:58] = (40, 40, 250)
    assert judged(load(tmp_path), view(crop, crop, box=SMALL_BOX)).reason == ""


def test_other_networks_are_refused(tmp_path: Path) -> None:
    """It takes three classes."""
    model = graphs.linear(tmp_path, "2.7_80x80_two", np.zeros((3, 2)), side=80)
    with pytest.raises(ModelSignatureError, match="gives 2 numbers"):
        MiniFASNet([(opened(model), model)])
