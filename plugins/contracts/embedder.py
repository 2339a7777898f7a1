"""What every embedder promises."""

import numpy as np
import pytest

from facecv.core.arrays import Pixels
from facecv.core.errors import InputError
from facecv.core.ports.embedder import Embedder


class EmbedderContract:
    """Override `embedder`."""

    @pytest.fixture
    def embedder(self) -> Embedder:
        """Return the embedder under test."""
        raise NotImplementedError

    @pytest.fixture
    def crops(self, embedder: Embedder) -> Pixels:
        """Return three different crops, uint8 [3, S, S, 3] BGR."""
        side = embedder.input_size
        noise = np.random.default_rng(3).integers(0, 255, (3, 4, 4, 3), dtype=np.uint8)
        patches: Pixels = noise.repeat(-(-side // 4), axis=1).repeat(-(-side // 4), axis=2)
        return patches[:, :side, :side]

    def test_vectors_are_of_length_one(self, embedder: Embedder, crops: Pixels) -> None:
        """Types and shapes are as the port says."""
        vectors, norms = embedder.embed(crops)
        assert vectors.shape == (3, embedder.space.dim)
        assert norms.shape == (3,)
        assert vectors.dtype == norms.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
        assert (norms > 0).all()

    def test_no_crops_give_no_vectors(self, embedder: Embedder, crops: Pixels) -> None:
        """An empty batch is fine and keeps its shape."""
        vectors, norms = embedder.embed(crops[:0])
        assert vectors.shape == (0, embedder.space.dim)
        assert norms.shape == (0,)

    def test_a_batch_is_its_crops_one_by_one(self, embedder: Embedder, crops: Pixels) -> None:
        """The size of a batch changes nothing, be it larger than one run takes."""
        many = np.concatenate([crops] * 15)
        together, _ = embedder.embed(many)
        alone = np.concatenate([embedder.embed(crop[None])[0] for crop in crops] * 15)
        assert (together * alone).sum(axis=1).min() >= 0.9999

    def test_the_same_crop_gives_the_same_vector(self, embedder: Embedder, crops: Pixels) -> None:
        """Embedding is deterministic."""
        np.testing.assert_array_equal(embedder.embed(crops)[0], embedder.embed(crops)[0])

    def test_colours_are_told_apart(self, embedder: Embedder, crops: Pixels) -> None:
        """Swapped channels are another picture."""
        plain, swapped = embedder.embed(crops)[0], embedder.embed(crops[..., ::-1])[0]
        assert (plain * swapped).sum(axis=1).max() < 0.9999

    def test_crops_stay_as_they_are(self, embedder: Embedder, crops: Pixels) -> None:
        """Read-only crops are fine."""
        before = crops.copy()
        crops.flags.writeable = False
        embedder.embed(crops)
        np.testing.assert_array_equal(crops, before)

    def test_crops_of_another_size_are_refused(self, embedder: Embedder) -> None:
        """A wrong shape is our own error."""
        side = embedder.input_size + 1
        with pytest.raises(InputError):
            embedder.embed(np.zeros((1, side, side, 3), np.uint8))
