"""What every attribute model promises."""

from collections.abc import Mapping

import attrs
import numpy as np
import pytest

from facecv.core.attributes import AttributeValue, CropNeed
from facecv.core.errors import InputError
from facecv.core.face import Detection
from facecv.core.face_view import FaceView
from facecv.core.geometry import ARCFACE_TEMPLATE, Box
from facecv.core.ports.attribute_model import AttributeModel

_SHADES = np.array([[90, 120, 160], [30, 30, 30], [200, 180, 100]], np.uint8)


class AttributeModelContract:
    """Override `model`."""

    @pytest.fixture
    def model(self) -> AttributeModel:
        """Return the attribute model under test."""
        raise NotImplementedError

    @pytest.fixture
    def faces(self, model: AttributeModel) -> list[FaceView]:
        """Return three different faces in the middle of pictures, cut as the model needs."""
        return [_face(model.needs, shade) for shade in _SHADES]

    def test_every_face_gets_what_the_model_provides(
        self, model: AttributeModel, faces: list[FaceView]
    ) -> None:
        """One mapping a face, with exactly the promised names."""
        said = model.predict(faces)
        assert len(said) == len(faces)
        assert all(set(one) == model.provides for one in said)

    def test_every_statement_says_who_made_it(
        self, model: AttributeModel, faces: list[FaceView]
    ) -> None:
        """The name of the model is with every value."""
        assert all(value.model for one in model.predict(faces) for value in one.values())

    def test_probabilities_are_probabilities(
        self, model: AttributeModel, faces: list[FaceView]
    ) -> None:
        """They add up to one, and a firm value is the likeliest class."""
        for one in model.predict(faces):
            for value in one.values():
                assert value.score is None or 0.0 <= value.score <= 1.0
                if value.probabilities:
                    assert sum(value.probabilities.values()) == pytest.approx(1.0, abs=1e-3)
                    best = max(value.probabilities.values())
                    assert value.reason or value.probabilities[str(value.value)] == best

    def test_no_faces(self, model: AttributeModel) -> None:
        """An empty batch is fine."""
        assert list(model.predict([])) == []

    def test_a_batch_is_its_faces_one_by_one(
        self, model: AttributeModel, faces: list[FaceView]
    ) -> None:
        """Faces do not influence one another, and their order is kept."""
        together = [_texts(one) for one in model.predict(faces)]
        assert [_texts(model.predict([face])[0]) for face in faces] == together
        assert [_texts(one) for one in model.predict(faces[::-1])] == together[::-1]

    def test_crops_of_another_size_are_refused(
        self, model: AttributeModel, faces: list[FaceView]
    ) -> None:
        """A wrong shape is our own error."""
        if not model.needs:
            pytest.skip("it looks at no crop")
        wrong = tuple(np.zeros((need.size + 1, need.size, 3), np.uint8) for need in model.needs)
        for crops in (wrong, ()):
            with pytest.raises(InputError):
                model.predict([attrs.evolve(faces[0], crops=crops)])


def _face(needs: tuple[CropNeed, ...], shade: np.ndarray) -> FaceView:
    """Return a face of 112 pixels with frontal landmarks, whose crops are one shade."""
    crops = tuple(np.tile(shade, (need.size, need.size, 1)) for need in needs)
    box = Box(200, 150, 312, 262)
    points = ARCFACE_TEMPLATE + np.array([200, 150], np.float32)
    return FaceView(Detection(box, 0.9, points), 640, 480, crops)


def _texts(said: Mapping[str, AttributeValue]) -> dict[str, str]:
    """Return the attributes that are words."""
    return {name: value.value for name, value in said.items() if isinstance(value.value, str)}
