"""What every attribute model promises."""

import numpy as np
import pytest

from facecv.core.arrays import Pixels
from facecv.core.errors import InputError
from facecv.core.ports.attribute_model import AttributeModel


class AttributeModelContract:
    """Override `model`."""

    @pytest.fixture
    def model(self) -> AttributeModel:
        """Return the attribute model under test."""
        raise NotImplementedError

    @pytest.fixture
    def crops(self, model: AttributeModel) -> Pixels:
        """Return three different crops, uint8 [3, S, S, 3] BGR."""
        side = model.needs.size
        shades = np.array([[90, 120, 160], [30, 30, 30], [200, 180, 100]], np.uint8)
        return np.tile(shades[:, None, None], (1, side, side, 1))

    def test_every_face_gets_what_the_model_provides(
        self, model: AttributeModel, crops: Pixels
    ) -> None:
        """One mapping a crop, with exactly the promised names."""
        said = model.predict(crops)
        assert len(said) == len(crops)
        assert all(set(one) == model.provides for one in said)

    def test_probabilities_are_probabilities(self, model: AttributeModel, crops: Pixels) -> None:
        """They add up to one, and the value is the likeliest class."""
        for one in model.predict(crops):
            for value in one.values():
                assert value.score is None or 0.0 <= value.score <= 1.0
                if value.probabilities:
                    assert sum(value.probabilities.values()) == pytest.approx(1.0, abs=1e-3)
                    assert value.probabilities[str(value.value)] == max(
                        value.probabilities.values()
                    )

    def test_no_crops(self, model: AttributeModel, crops: Pixels) -> None:
        """An empty batch is fine."""
        assert list(model.predict(crops[:0])) == []

    def test_a_batch_is_its_crops_one_by_one(self, model: AttributeModel, crops: Pixels) -> None:
        """Faces do not influence one another."""
        together = model.predict(crops)
        alone = [model.predict(crop[None])[0] for crop in crops]
        assert [
            {k: v.value for k, v in one.items() if isinstance(v.value, str)} for one in alone
        ] == [{k: v.value for k, v in one.items() if isinstance(v.value, str)} for one in together]

    def test_crops_of_another_size_are_refused(self, model: AttributeModel) -> None:
        """A wrong shape is our own error."""
        side = model.needs.size + 1
        with pytest.raises(InputError):
            model.predict(np.zeros((1, side, side, 3), np.uint8))
