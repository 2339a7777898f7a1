"""ArcFace embedders, on small networks and on real weights."""

from pathlib import Path

import attrs
import numpy as np
import pytest

from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from facecv.adapters.embedders.arcface import ArcFace
from facecv.core.arrays import Pixels
from facecv.core.embedding import EmbeddingSpace
from facecv.core.errors import InferenceError, ModelSignatureError
from facecv.core.pack import ModelFile
from facecv.core.ports.inference_backend import SessionOptions
from facecv.plugins.contracts.embedder import EmbedderContract
from tests import graphs
from tests.fakes.inference_backend import FakeSession
from tests.real_models import RealModels

CPU = SessionOptions(device="cpu", threads=1)


def load(model: ModelFile, *, flip: bool = False, batch_size: int = 16) -> ArcFace:
    session = OnnxRuntimeBackend().load(model, CPU)
    return ArcFace(session, model, flip=flip, batch_size=batch_size)


def recorded(model: ModelFile, *, batch_size: int = 16) -> tuple[ArcFace, FakeSession]:
    """Return an embedder, and a session that keeps the shapes it was given."""
    real = OnnxRuntimeBackend().load(model, CPU)
    session = FakeSession(real.run, real.inputs, real.outputs)
    embedder = ArcFace(session, model, batch_size=batch_size)
    session.runs.clear()  # the run that told the dimension
    return embedder, session


def random_crops(count: int, side: int = 112) -> Pixels:
    return np.random.default_rng(5).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("dim", "side", "batch", "channels_last"),
    [
        (512, 112, "N", False),
        (512, 112, 1, False),
        (128, 112, 4, False),
        (512, 112, "N", True),
        (256, 128, 1, True),
    ],
)
class TestArcFaceContract(EmbedderContract):
    @pytest.fixture
    def embedder(
        self, tmp_path: Path, dim: int, side: int, batch: graphs.Axis, *, channels_last: bool
    ) -> ArcFace:
        model = graphs.arcface(
            tmp_path, dim=dim, side=side, batch=batch, channels_last=channels_last
        )
        embedder = load(model)
        assert (embedder.space.dim, embedder.input_size) == (dim, side)
        return embedder


class TestFlippedArcFaceContract(EmbedderContract):
    @pytest.fixture
    def embedder(self, tmp_path: Path) -> ArcFace:
        return load(graphs.arcface(tmp_path), flip=True)


@pytest.mark.parametrize("name", ["w600k_mbf", "mobilefacenet_128d"])
class TestRealArcFaceContract(EmbedderContract):
    @pytest.fixture
    def embedder(self, shared: Path, name: str) -> ArcFace:
        return RealModels(shared).embedder(name)


class TestSpaces:
    def test_comes_from_the_model_file(self, tmp_path: Path) -> None:
        """Name, digest and preprocessing are the file's and its manifest's."""
        model = graphs.arcface(tmp_path, dim=64, preprocessing="arcface-112-rgb")
        expected = EmbeddingSpace("arcface", 64, model.sha256, "arcface-112-rgb")
        assert load(model).space == expected

    def test_flip_averaging_is_another_space(self, tmp_path: Path) -> None:
        """Vectors with and without are not compared with each other by accident."""
        model = graphs.arcface(tmp_path)
        assert load(model, flip=True).space.preprocessing == "arcface-112-rgb+flip"

    def test_layout_and_batch_do_not_change_vectors(self, tmp_path: Path) -> None:
        """The same projection gives the same vectors, however it is exported."""
        crops = random_crops(3)
        plain, _ = load(graphs.arcface(tmp_path / "a")).embed(crops)
        for batch in (1, 2):
            other, _ = load(graphs.arcface(tmp_path / "b", batch=batch)).embed(crops)
            np.testing.assert_allclose(other, plain, atol=1e-6)
        last, _ = load(graphs.arcface(tmp_path / "c", channels_last=True)).embed(crops)
        np.testing.assert_allclose(last, plain, atol=1e-6)


@pytest.mark.parametrize(("length", "meaning"), [(202, "an age"), (212, "106"), (3, "too few")])
def test_attributes_are_no_embedding(tmp_path: Path, length: int, meaning: str) -> None:
    """Such networks have the same inputs and outputs; similarities of ages mean nothing."""
    with pytest.raises(ModelSignatureError, match=f"the {length} numbers .* {meaning}"):
        load(graphs.arcface(tmp_path, dim=length))


class TestValues:
    def test_pixels_are_rgb_and_normalised_as_the_manifest_says(self, tmp_path: Path) -> None:
        """The network's own arithmetic, done by hand, gives the same vector."""
        model = graphs.arcface(tmp_path, dim=16)
        crop = np.empty((1, 112, 112, 3), np.uint8)
        crop[...] = (10, 100, 250)  # blue, green, red
        projection = np.random.default_rng(1).normal(size=(48, 16)).astype(np.float32)
        planes = np.repeat((np.array([250, 100, 10], np.float32) - 127.5) / 127.5, 16)
        vectors, norms = load(model).embed(crop)
        expected = planes @ projection
        np.testing.assert_allclose(norms[0], np.linalg.norm(expected), rtol=1e-5)
        np.testing.assert_allclose(vectors[0] * norms[0], expected, rtol=1e-4, atol=1e-4)

    def test_a_manifest_without_normalisation(self, tmp_path: Path) -> None:
        """Networks that normalise inside take 0..255."""
        model = graphs.arcface(tmp_path)
        spec = attrs.evolve(model.spec, input=attrs.evolve(model.spec.input, mean=0.0, std=1.0))
        white = np.full((1, 112, 112, 3), 255, np.uint8)
        (scaled,) = load(attrs.evolve(model, spec=spec)).embed(white)[1]
        (plain,) = load(model).embed(white)[1]
        assert scaled == pytest.approx(255 * plain, rel=1e-4)

    def test_flip_averages_the_crop_and_its_mirror_image(self, tmp_path: Path) -> None:
        """So a mirrored crop has the same vector."""
        embedder, crops = load(graphs.arcface(tmp_path), flip=True), random_crops(2)
        mirrored = np.ascontiguousarray(crops[:, :, ::-1])
        np.testing.assert_allclose(embedder.embed(crops)[0], embedder.embed(mirrored)[0], atol=1e-5)


class TestBatches:
    def test_long_batches_are_cut(self, tmp_path: Path) -> None:
        """No run is larger than asked for."""
        embedder, session = recorded(graphs.arcface(tmp_path), batch_size=8)
        embedder.embed(random_crops(19))
        assert [run["data"][0] for run in session.runs] == [8, 8, 3]

    def test_a_fixed_batch_is_filled_up(self, tmp_path: Path) -> None:
        """The network gets exactly what it wants, the caller what was asked for."""
        embedder, session = recorded(graphs.arcface(tmp_path, batch=4))
        vectors, _ = embedder.embed(random_crops(6))
        assert [run["data"][0] for run in session.runs] == [4, 4]
        assert len(vectors) == 6


class TestRefusals:
    def test_numbers_that_are_not_finite(self, tmp_path: Path) -> None:
        """They are an error, never an embedding."""
        embedder, session = recorded(graphs.arcface(tmp_path))
        network = session.network
        session.network = lambda inputs: [network(inputs)[0] * np.inf]
        with pytest.raises(InferenceError, match="not finite"):
            embedder.embed(random_crops(1))

    def test_networks_of_other_families(self, tmp_path: Path) -> None:
        """A detector or something without pictures is refused."""
        for model in (graphs.scrfd(tmp_path), graphs.doubler(tmp_path)):
            with pytest.raises(ModelSignatureError, match="ArcFace"):
                load(model)
