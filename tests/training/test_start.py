"""A recipe starts from an exported file and says what it says; a narrower network, nearly so."""

from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the recipes need the extra 'training'")
pytest.importorskip("onnx", reason="the recipes need the extra 'training'")

import onnxruntime as ort  # noqa: E402
from click.testing import CliRunner  # noqa: E402

from facecv.models.training import detector, export, networks, packfile  # noqa: E402
from facecv.models.training.attributes import Attributes  # noqa: E402
from facecv.models.training.common import Options, Run  # noqa: E402
from facecv.models.training.detector import Detector  # noqa: E402
from facecv.models.training.embedder import Embedder  # noqa: E402
from facecv.models.training.narrow import narrow  # noqa: E402

PACK = Path(export.__file__).parents[1] / "packs" / "nano"
GRAPHS = {
    Embedder: lambda model: model,
    Attributes: export.AttributesGraph,
    Detector: export.DetectorGraph,
}


def started(recipe: Any, file: str) -> Any:
    """Return a run of *recipe* that starts from a file of the shipped pack."""
    return Run(recipe, attrs.evolve(recipe.options, start=PACK / file))


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return Options(tmp_path, 1, 4, 0.02, steps=1, smoke=True)


@pytest.mark.parametrize(
    ("recipe", "file", "side"),
    [
        (Embedder, "embed_nano.onnx", 112),
        (Attributes, "attributes_nano.onnx", 112),
        (Detector, "det_nano.onnx", 64),
    ],
)
def test_it_says_what_the_shipped_file_says(
    recipe: Any, file: str, side: int, pack: packfile.Pack, options: Options
) -> None:
    run = started(recipe(pack, options), file)
    image = np.random.default_rng(0).normal(size=(1, 3, side, side)).astype(np.float32)
    session = ort.InferenceSession(PACK / file, providers=["CPUExecutionProvider"])
    wanted = session.run(None, {"input": image})
    for model in (run.recipe.model, run.average.module):
        with torch.inference_mode():
            made = GRAPHS[recipe](model.eval())(torch.from_numpy(image))
        parts = made if isinstance(made, tuple) else (made,)
        for ours, theirs in zip(parts, wanted, strict=True):
            np.testing.assert_allclose(ours.numpy(), theirs, atol=2e-3, rtol=2e-3)


def test_norms_change_nothing_while_it_trains_either(pack: packfile.Pack, options: Options) -> None:
    recipe = Detector(pack, options)
    model = started(recipe, "det_nano.onnx").recipe.model

    def loss() -> float:
        rng = np.random.default_rng(options.seed)  # what the norms were set by
        with torch.no_grad():
            return float(recipe.loss(model, rng, 1.0))

    model.eval()
    wanted = loss()
    model.train()
    assert loss() == pytest.approx(wanted, rel=1e-3)


def test_a_narrower_network_says_nearly_the_same(pack: packfile.Pack, options: Options) -> None:
    recipe = Detector(pack, options)
    scenes = [recipe.composer.scene(np.random.default_rng(seed), 256) for seed in range(4)]
    losses = []
    for middle in (64, 48):
        recipe.model = networks.Detector(middles=(24, 48, middle))
        started(recipe, "det_nano.onnx")
        with torch.inference_mode():
            losses.append(float(recipe.loss_of(recipe.model.eval(), scenes)))
    assert losses[1] == pytest.approx(losses[0], rel=0.1)


def test_another_network_is_refused(pack: packfile.Pack, options: Options) -> None:
    with pytest.raises(ValueError, match=r"layer 1 of .* is \[48, 16, 3, 3\]"):
        started(Attributes(pack, options), "embed_nano.onnx")


def test_the_command_line_begins_with_a_file_and_resumes_from_its_own(
    data: Path, tmp_path: Path
) -> None:
    file = PACK / "det_nano.onnx"
    arguments = ["--data", data, "--out", tmp_path, "--smoke", "--batch", 4, "--start", file]
    for more in (["--steps", 1], ["--steps", 2, "--resume"]):
        result = CliRunner().invoke(detector.main, [str(a) for a in (*arguments, *more)])
        assert result.exception is None, result.output
    state = torch.load(tmp_path / "detector.pt", weights_only=True)
    assert state["step"] == 2


def test_channels_that_others_tell_are_left_out_without_loss() -> None:
    rng = np.random.default_rng(0)
    told = rng.normal(size=(2, 6, 9, 9)).astype(np.float32)
    told[:, 2] = 2 * told[:, 0] - told[:, 4] + 0.5
    told[:, 5] = told[:, 1]
    weight, bias = rng.normal(size=(6, 3, 3, 3)).astype(np.float32), np.arange(6, dtype=np.float32)
    reader, shift = rng.normal(size=(4, 6, 1, 1)).astype(np.float32), np.zeros(4, np.float32)
    (kept, biases), (kernel, shifts) = narrow((weight, bias), (reader, shift), told, 4)
    assert kept.shape == (4, 3, 3, 3)
    left = told[:, biases.astype(int)]
    wanted = np.einsum("oc,nchw->nohw", reader[..., 0, 0], told)
    made = np.einsum("oc,nchw->nohw", kernel[..., 0, 0], left) + shifts[None, :, None, None]
    np.testing.assert_allclose(made, wanted, atol=0.02)
