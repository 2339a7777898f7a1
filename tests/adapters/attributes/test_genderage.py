"""Age and gender, on a small network of the published signature."""

from pathlib import Path

import numpy as np
import pytest

from facecv.adapters.attributes.genderage import GenderAge
from facecv.core.attributes import BoxCropNeed
from facecv.core.errors import ModelSignatureError
from facecv.core.pack import ModelFile
from facecv.plugins.contracts.attribute_model import AttributeModelContract
from tests import graphs
from tests.adapters.attributes.loading import opened
from tests.adapters.attributes.views import view


def load(model: ModelFile) -> GenderAge:
    return GenderAge(opened(model), model)


class TestGenderAgeContract(AttributeModelContract):
    @pytest.fixture
    def model(self, tmp_path: Path) -> GenderAge:
        return load(graphs.genderage(tmp_path))


class TestGenderAgeOfBatchOneContract(AttributeModelContract):
    @pytest.fixture
    def model(self, tmp_path: Path) -> GenderAge:
        return load(graphs.genderage(tmp_path, batch=1))


def test_looks_at_the_box_half_as_large_again(tmp_path: Path) -> None:
    """As the network was trained."""
    assert load(graphs.genderage(tmp_path)).needs == (BoxCropNeed(96, 1.5),)


@pytest.mark.parametrize(
    ("bgr", "gender", "age"), [((0, 102, 255), "male", 40), ((255, 51, 0), "female", 20)]
)
def test_reads_gender_and_age(
    tmp_path: Path, bgr: tuple[int, int, int], gender: str, age: float
) -> None:
    """The second logit is male; the third number is a hundredth of the age; pixels are RGB."""
    crop = np.empty((96, 96, 3), np.uint8)
    crop[...] = bgr
    (said,) = load(graphs.genderage(tmp_path)).predict([view(crop)])
    assert said["gender"].value == gender
    assert said["gender"].probabilities[gender] == pytest.approx(1 / (1 + np.exp(-255 / 64)))
    assert said["gender"].score == said["gender"].probabilities[gender]
    assert said["age"].value == pytest.approx(age, abs=0.01)
    assert said["age"].model == "genderage"


def test_a_network_of_another_length_is_refused(tmp_path: Path) -> None:
    """An embedder is no genderage network."""
    with pytest.raises(ModelSignatureError, match="three"):
        load(graphs.arcface(tmp_path))
