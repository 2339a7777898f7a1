"""Each recipe runs from its command line, resumes without loss, and exports what it promises."""

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the recipes need the extra 'training'")
pytest.importorskip("matplotlib", reason="the recipes need the extra 'training'")

import onnxruntime as ort  # noqa: E402
from click.testing import CliRunner  # noqa: E402

from facecv.models.training import attributes, detector, embedder, export, packfile  # noqa: E402
from facecv.models.training.attributes import Attributes  # noqa: E402
from facecv.models.training.common import Options, Run, schedule  # noqa: E402
from facecv.models.training.detector import Detector  # noqa: E402
from facecv.models.training.embedder import Embedder  # noqa: E402
from facecv.models.training.optimiser import orthogonal  # noqa: E402

RECIPES = {"embedder": embedder, "attributes": attributes, "detector": detector}


@pytest.fixture(autouse=True)
def few_threads() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def runs(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for name, recipe in RECIPES.items():
        arguments = ["--data", data, "--out", folder, "--smoke", "--steps", 2, "--batch", 4]
        result = CliRunner().invoke(recipe.main, [str(a) for a in arguments])
        assert result.exception is None, result.output
        assert f"{name} 100.0 %" in result.output
    return folder


def test_checkpoint_and_curve_are_written(runs: Path) -> None:
    names = {f"{name}.{end}" for name in RECIPES for end in ("pt", "png")}
    assert names <= {path.name for path in runs.iterdir()}


def weights(model: Any) -> Any:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.mark.parametrize("recipe", [Embedder, Attributes, Detector])
def test_stopped_and_resumed_is_as_if_never_stopped(
    recipe: Any, pack: packfile.Pack, tmp_path: Path
) -> None:
    options = Options(tmp_path / "whole", 1, 4, 0.02, steps=4, smoke=True)
    whole = Run(recipe(pack, options), options)
    whole.go()
    options = Options(tmp_path / "parts", 1, 4, 0.02, steps=4, smoke=True)
    first = Run(recipe(pack, options), options)
    for _ in range(2):
        first.train_step()
    first.save()
    options = Options(tmp_path / "parts", 1, 4, 0.02, steps=4, smoke=True, resume=True)
    second = Run(recipe(pack, options), options)
    assert second.step == 2
    second.go()
    assert torch.allclose(weights(whole.recipe.model), weights(second.recipe.model), atol=1e-5)
    assert torch.allclose(weights(whole.average), weights(second.average), atol=1e-5)


class StopsAtOnce(Embedder):
    """Asks its own process to stop while it trains."""

    def loss(self, model: Any, rng: np.random.Generator, progress: float) -> Any:
        signal.raise_signal(signal.SIGTERM)
        return super().loss(model, rng, progress)


def test_sigterm_ends_the_run_after_its_step(pack: packfile.Pack, tmp_path: Path) -> None:
    options = Options(tmp_path, 1, 4, 0.02, steps=50, smoke=True)
    run = Run(StopsAtOnce(pack, options), options)
    usual = signal.getsignal(signal.SIGTERM)
    try:
        run.go()
    finally:
        signal.signal(signal.SIGTERM, usual)
    assert run.step == 1
    assert run.checkpoint.is_file()


def test_missing_labels_take_no_part(without_labels: packfile.Pack, tmp_path: Path) -> None:
    options = Options(tmp_path, 1, 4, 0.02, steps=1, smoke=True)
    recipe = Attributes(without_labels, options)
    logits = torch.zeros(4, 101)
    assert float(recipe.age_loss(logits, np.full(4, np.nan, np.float32))) == 0.0


def test_schedule_rises_then_falls() -> None:
    assert schedule(0.0, 0) < schedule(0.05, 200) == 1.0
    assert schedule(1.0, 10**6) == pytest.approx(0.01)


def test_orthogonal_has_singular_values_near_one() -> None:
    matrix = torch.randn(12, 40, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonal(matrix).float())
    assert values.min() > 0.5
    assert values.max() < 1.5


def test_exported_files_are_what_the_adapters_read(runs: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="the recipes need the extra 'training'")
    result = CliRunner().invoke(export.main, ["--runs", str(runs), "--out", str(tmp_path)])
    assert result.exception is None, result.output
    sessions = {
        p.stem: ort.InferenceSession(p, providers=["CPUExecutionProvider"])
        for p in tmp_path.glob("*.onnx")
    }
    faces = np.zeros((3, 3, 112, 112), np.float32)
    assert sessions["embed_nano"].run(None, {"input": faces})[0].shape == (3, 512)
    made = sessions["attributes_nano"].run(None, {"input": faces})[0]
    assert made.shape == (3, len(export.ATTRIBUTES))
    assert np.allclose(
        [made[:, 1:3].sum(1), made[:, 3:10].sum(1), made[:, 10:].sum(1)], 1, atol=1e-5
    )
    maps = sessions["det_nano"].run(None, {"input": np.zeros((1, 3, 64, 96), np.float32)})
    rows = [2 * 8 * 12, 2 * 4 * 6, 2 * 2 * 3]
    assert [m.shape for m in maps] == [(n, k) for k in (1, 4, 10) for n in rows]


def test_exported_embedder_says_what_the_network_says(runs: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="the recipes need the extra 'training'")
    network = export.graph("embedder", runs / "embedder.pt")[0]
    faces = torch.randn(2, 3, 112, 112, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        wanted = network(faces).numpy()
    CliRunner().invoke(
        export.main, ["--runs", str(runs), "--out", str(tmp_path), "--only", "embedder"]
    )
    session = ort.InferenceSession(tmp_path / "embed_nano.onnx", providers=["CPUExecutionProvider"])
    made = session.run(None, {"input": faces.numpy()})[0]
    cosine = (made * wanted).sum(1) / np.linalg.norm(made, axis=1) / np.linalg.norm(wanted, axis=1)
    assert (cosine > 0.999).all()
