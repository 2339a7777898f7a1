"""Attributes declared by a manifest, on a small network."""

from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from facecv.adapters.attributes.columns import ColumnAttributes
from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from facecv.core.attributes import AlignedCropNeed, BoxCropNeed
from facecv.core.errors import ManifestError, ModelSignatureError
from facecv.core.ports.inference_backend import SessionOptions
from facecv.plugins.contracts.attribute_model import AttributeModelContract
from tests import graphs
from tests.adapters.attributes.views import view

COLUMNS = ["hue=blue", "hue=red", "green"]


def load(folder: Path, **settings: Any) -> ColumnAttributes:
    """Return a model of 112x112 crops: mean blue / 64, mean red / 64, mean green / 255."""
    model = graphs.genderage(folder, side=112)
    model = attrs.evolve(model, spec=attrs.evolve(model.spec, settings=settings))
    session = OnnxRuntimeBackend().load(model, SessionOptions(device="cpu", threads=1))
    return ColumnAttributes(session, model)


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
