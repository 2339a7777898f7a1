"""The older age and gender, on a small network of the published signature."""

from pathlib import Path

import numpy as np
import pytest

from facecv.adapters.attributes.genderage_v1 import GenderAgeV1
from facecv.core.attributes import AlignedCropNeed
from facecv.core.errors import ModelSignatureError
from facecv.core.pack import ModelFile
from facecv.plugins.contracts.attribute_model import AttributeModelContract
from tests import graphs
from tests.adapters.attributes.loading import opened
from tests.adapters.attributes.views import view


def network(folder: Path) -> ModelFile:
    """Return a network: red is male, blue female; older than y years if green is above 2 y."""
    matrix, bias = np.zeros((3, 202)), np.zeros(202)
    matrix[2, 0] = matrix[0, 1] = 1 / 64
    matrix[1, 3::2] = 1
    bias[3::2] = -2 * np.arange(100) - 1
    return graphs.linear(folder, "genderage_v1", matrix, bias, side=112, batch=1)


def load(folder: Path) -> GenderAgeV1:
    model = network(folder)
    return GenderAgeV1(opened(model), model)


class TestGenderAgeV1Contract(AttributeModelContract):
    @pytest.fixture
    def model(self, tmp_path: Path) -> GenderAgeV1:
        return load(tmp_path)


@pytest.mark.parametrize(
    ("bgr", "gender", "age"), [((0, 70, 255), "male", 35), ((255, 10, 0), "female", 5)]
)
def test_counts_the_years_and_reads_the_gender(
    tmp_path: Path, bgr: tuple[int, int, int], gender: str, age: float
) -> None:
    """The second logit is male; each pair of the rest says older or not; pixels are RGB."""
    (said,) = load(tmp_path).predict([view(np.full((112, 112, 3), bgr, np.uint8))])
    assert said["age"].value == age
    assert said["gender"].value == gender
    assert said["gender"].score == pytest.approx(1 / (1 + np.exp(-255 / 64)))
    assert said["gender"].model == "genderage_v1"


def test_looks_at_the_aligned_face(tmp_path: Path) -> None:
    """As the network was trained."""
    assert load(tmp_path).needs == (AlignedCropNeed(112),)


def test_the_newer_network_is_refused(tmp_path: Path) -> None:
    """It gives three numbers."""
    model = graphs.genderage(tmp_path)
    with pytest.raises(ModelSignatureError, match="gives 3 numbers"):
        GenderAgeV1(opened(model), model)
