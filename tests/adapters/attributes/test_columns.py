"""Attributes declared by a manifest, on a small network."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facecv.adapters.attributes.columns import ColumnAttributes
from facecv.core.attributes import AlignedCropNeed, BoxCropNeed
from facecv.core.errors import ManifestError, ModelSignatureError
from facecv.plugins.contracts.attribute_model import AttributeModelContract
from tests import graphs
from tests.adapters.attributes.loading import opened, with_settings
from tests.adapters.attributes.views import view

COLUMNS = ["hue=blue", "hue=red", "green"]


def load(folder: Path, **settings: Any) -> ColumnAttributes:
    """Return a model of 112x112 crops: mean blue / 64, mean red / 64, mean green / 255."""
    model = with_settings(graphs.genderage(folder, side=112), **settings)
    return ColumnAttributes(opened(model), model)


class TestColumnAttributesContract(AttributeModelContract):
    @pytest.fixture
    def model(self, tmp_path: Path) -> ColumnAttributes:
        # The network's numbers are no probabilities, so they stand as numbers here.
        return load(tmp_path, columns=["blue", "red", "green"])


def test_reads_numbers_and_classes(tmp_path: Path) -> None:
    """Each column is what the manifest calls it."""
    crop = np.empty((112, 112, 3), np.uint8)
    crop[...] = (16, 51, 48)
    model = load(tmp_path, columns=COLUMNS)
    (said,) = model.predict([view(crop)])
    assert model.provides == {"hue", "green"}
    assert said["green"].value == pytest.approx(0.2)
    assert said["hue"].value == "red"
    assert said["hue"].score == pytest.approx(0.75)
    assert said["hue"].probabilities == pytest.approx({"blue": 0.25, "red": 0.75})
    assert said["hue"].model == "genderage"


def test_looks_at_the_crop_that_the_manifest_names(tmp_path: Path) -> None:
    """The aligned crop, unless a scale of the box is given."""
    assert load(tmp_path, columns=COLUMNS).needs == (AlignedCropNeed(112),)
    assert load(tmp_path, columns=COLUMNS, box_scale=1.2).needs == (BoxCropNeed(112, 1.2),)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "does not say what genderage gives"),
        ({"columns": "age"}, "does not say"),
        ({"columns": [1, 2, 3]}, "does not say"),
        ({"columns": []}, "empty"),
        ({"columns": ["a", "a", "b"]}, "twice"),
        ({"columns": ["a", "a=x", "a=y"]}, "'a' is a number and a class"),
        ({"columns": COLUMNS, "box_scale": 0}, "box_scale"),
        ({"columns": COLUMNS, "box_scale": True}, "box_scale"),
    ],
)
def test_a_manifest_that_says_it_wrong_is_refused(
    tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    """The model cannot be used without knowing what it says."""
    with pytest.raises(ManifestError, match=message):
        load(tmp_path, **settings)


def test_another_number_of_columns_is_refused(tmp_path: Path) -> None:
    """Manifest and network disagree."""
    with pytest.raises(ModelSignatureError, match="3 numbers for a face, its manifest names 2"):
        load(tmp_path, columns=["age", "height"])


def grey(folder: Path, axes: list[int | str | None] | None, **form: Any) -> ColumnAttributes:
    """Return a model of grey 48x48 crops that gives two logits: grey / 64 and 2."""
    matrix, bias = np.array([[1 / 64, 0]]), np.array([0, 2.0])
    model = graphs.linear(folder, "moods", matrix, bias, side=48, axes=axes, color="grey", **form)
    settings = {"columns": ["mood=up", "mood=down"], "softmax": True, "box_scale": 1.0}
    model = with_settings(model, **settings)
    return ColumnAttributes(opened(model), model)


@pytest.mark.parametrize(
    ("axes", "form"),
    [
        (["N", 48, 48, 1], {"channels_last": True}),
        ([1, 1, 48, 48], {"batch": 1}),
        ([None, None, None, None], {}),
    ],
    ids=["channels last", "one at a time", "free axes"],
)
def test_grey_networks_of_every_layout_that_give_logits(
    tmp_path: Path, axes: list[int | str | None], form: dict[str, Any]
) -> None:
    """FER+ and its like: the manifest says colour, size, and that there are no probabilities."""
    model = grey(tmp_path, axes, **form)
    assert model.needs == (BoxCropNeed(48, 1.0),)
    crops = [np.full((48, 48, 3), shade, np.uint8) for shade in (192, 64)]
    bright, dim = (said["mood"] for said in model.predict([view(crop) for crop in crops]))
    assert (bright.value, dim.value) == ("up", "down")
    assert bright.probabilities["up"] == pytest.approx(1 / (1 + np.exp(2 - 3)))
    assert bright.score == bright.probabilities["up"]
