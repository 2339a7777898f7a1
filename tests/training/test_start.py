"""A recipe starts from an exported file and says what it says."""

from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the recipes need the extra 'training'")
pytest.importorskip("onnx", reason="the recipes need the extra 'training'")

import onnxruntime as ort  # noqa: E402
from click.testing import CliRunner  # noqa: E402

from facecv.models.training import detector, export, packfile  # noqa: E402
from facecv.models.training.attributes import Attributes  # noqa: E402
from facecv.models.training.common import Options, Run  # noqa: E402
from facecv.models.training.detector import Detector  # noqa: E402
from facecv.models.training.embedder import Embedder  # noqa: E402

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


def test_another_network_is_refused(pack: packfile.Pack, options: Options) -> None:
    with pytest.raises(ValueError, match=r"layer 0 of .* is \[24, 3, 3, 3\]"):
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
