"""Networks prepared for the processor: kept, checked, and never in the way."""

import os
import time
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from structlog.testing import capture_logs

from facecv.adapters.backends import prepared
from facecv.adapters.backends.graph import rewriting
from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from facecv.adapters.backends.processor import this_processor
from facecv.core.pack import InputSpec, ModelFile
from facecv.core.ports.inference_backend import Session, SessionOptions
from facecv.plugins.contracts.inference_backend import InferenceBackendContract
from tests import graphs
from tests.adapters.backends.graph.networks import Drawing
from tests.real_models import RealModels

CPU = SessionOptions(device="cpu", threads=1)


class TestPreparedContract(InferenceBackendContract):
    """What is loaded from the cache behaves as what it was made from."""

    @pytest.fixture
    def backend(self, tmp_path: Path) -> OnnxRuntimeBackend:
        return OnnxRuntimeBackend(graph_cache=tmp_path / "graphs")

    @pytest.fixture
    def doubler(self, tmp_path: Path, backend: OnnxRuntimeBackend) -> ModelFile:
        model = graphs.doubler(tmp_path)
        backend.load(model, CPU).close()
        return model


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "graphs"


@pytest.fixture
def model(tmp_path: Path) -> ModelFile:
    """Return a network that has something to rewrite."""
    drawing = Drawing()
    slopes = drawing.weight(12, 1, 1)
    y = drawing.conv(drawing.add("PRelu", drawing.conv("x", 3, 12), slopes), 12, 5)
    path = tmp_path / "drawing.onnx"
    return graphs.save(drawing.model(y).graph, path, "recognition", InputSpec())


def load(cache: Path | None, model: ModelFile) -> tuple[Session, list[str]]:
    """Return a session and what was logged while it was loaded."""
    with capture_logs() as logs:
        session = OnnxRuntimeBackend(graph_cache=cache).load(model, CPU)
    return session, [entry["event"] for entry in logs]


def answer(session: Session) -> Any:
    x = np.random.default_rng(1).normal(size=(1, 3, 8, 8)).astype(np.float32)
    return session.run({"x": x})[0]


def kept(cache: Path) -> list[Path]:
    return sorted(cache.glob("*.graph"))


class TestTheFirstTime:
    def test_it_is_prepared_and_kept(self, cache: Path, model: ModelFile) -> None:
        """Named after its digest; nothing else but the lock is left behind."""
        session, events = load(cache, model)
        np.testing.assert_allclose(answer(session), answer(load(None, model)[0]), atol=1e-4)
        assert events == ["network prepared for this processor"]
        (path,) = kept(cache)
        assert path.name.startswith(model.sha256[:32])
        assert {file.name for file in cache.iterdir()} == {path.name, f"{path.name}.lock"}

    def test_a_rewriting_that_changes_answers_is_not_taken(
        self, cache: Path, model: ModelFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The original is optimised and kept instead."""

        def wrong(graph: Any, block: int) -> bool:
            one = next(node for node in graph.nodes if node.op_type == "PRelu")
            one.op_type = "Add"
            return True

        monkeypatch.setattr(rewriting, "_PASSES", {"wrong": wrong})
        session, events = load(cache, model)
        assert events[0] == "rewritten network not taken"
        np.testing.assert_allclose(answer(session), answer(load(None, model)[0]), atol=1e-5)
        assert len(kept(cache)) == 1

    def test_a_batch_that_must_stay_fixed(self, cache: Path, tmp_path: Path) -> None:
        """The other passes are taken all the same."""
        drawing = Drawing()
        drawing.shape = (1, 3, 8, 8)
        first = drawing.add("PRelu", drawing.conv("x", 3, 16), drawing.weight(16, 1, 1))
        y = drawing.add("Add", drawing.conv(first, 16, 5), drawing.weight(1, 5, 8, 8))
        rows = drawing.add("Expand", y, drawing.constant([1, 5, 8, 8]))
        parts = drawing.add("Slice", rows, drawing.constant([0]), drawing.constant([1]))
        path = tmp_path / "fixed.onnx"
        graph = drawing.model(parts, axes=(1, 5, 8, 8)).graph
        model = graphs.save(graph, path, "recognition", InputSpec())
        with capture_logs() as logs:
            session = OnnxRuntimeBackend(graph_cache=cache).load(model, CPU)
        assert logs[0]["passes"] == ("prelu", "batch")
        assert logs[-1]["passes"] == ("prelu",)
        np.testing.assert_allclose(answer(session), answer(load(None, model)[0]), atol=1e-4)

    def test_without_the_package_onnx(
        self, cache: Path, model: ModelFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The optimised network is kept, under a name of its own."""
        monkeypatch.setattr(prepared, "find_spec", lambda _: None)
        load(cache, model)
        monkeypatch.undo()
        load(cache, model)
        assert len(kept(cache)) == 2


class TestTheSecondTime:
    def test_nothing_is_rewritten(
        self, cache: Path, model: ModelFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The file is loaded as it is, and gives the same numbers."""
        first = answer(load(cache, model)[0])
        monkeypatch.setattr(prepared, "_optimised", None)
        session, events = load(cache, model)
        assert events == []
        np.testing.assert_array_equal(answer(session), first)

    @pytest.mark.parametrize("damage", ["truncated", "changed", "empty"])
    def test_a_damaged_file_is_made_anew(self, cache: Path, model: ModelFile, damage: str) -> None:
        """And is sound the time after."""
        expected = answer(load(cache, model)[0])
        (path,) = kept(cache)
        content = bytearray(path.read_bytes())
        content[-40] ^= 1
        damages = {"truncated": content[:100], "changed": content, "empty": bytearray()}
        path.write_bytes(damages[damage])
        session, events = load(cache, model)
        assert any("damaged" in event for event in events)
        np.testing.assert_array_equal(answer(session), expected)
        assert load(cache, model)[1] == []

    def test_other_weights_are_another_file(self, cache: Path, model: ModelFile) -> None:
        """The digest tells them apart."""
        load(cache, model)
        load(cache, attrs.evolve(model, sha256="0" * 64))
        assert len(kept(cache)) == 2


class TestOldFiles:
    """What is no longer used goes when something new comes in."""

    def age(self, path: Path, days: float) -> Path:
        moment = time.time() - days * 86_400
        path.touch()
        os.utime(path, (moment, moment))
        return path

    def test_unused_for_a_month(self, cache: Path, model: ModelFile) -> None:
        """Of other versions, processors and networks; with their locks, and half-written ones."""
        cache.mkdir()
        old = self.age(cache / "old.graph", 31)
        lock = self.age(cache / "old.graph.lock", 31)
        draft = self.age(cache / "other.4711", 2)
        young = [self.age(cache / name, 0.5) for name in ("other.4712", "young.graph")]
        _, events = load(cache, model)
        assert events[-1] == "old prepared networks deleted"
        assert not any(path.exists() for path in (old, lock, draft))
        assert all(path.exists() for path in young)

    def test_too_many(self, cache: Path, model: ModelFile, monkeypatch: pytest.MonkeyPatch) -> None:
        """The one that was not used for longest goes; the new one stays."""
        monkeypatch.setattr(prepared, "_KEPT", 2)
        cache.mkdir()
        older, younger = (self.age(cache / f"{days}.graph", days) for days in (3, 2))
        load(cache, model)
        assert not older.exists()
        assert younger in kept(cache)
        assert len(kept(cache)) == 2

    def test_loading_is_use(self, cache: Path, model: ModelFile) -> None:
        """A file that is loaded every month is never deleted."""
        load(cache, model)
        (path,) = kept(cache)
        self.age(path, 29)
        assert load(cache, model)[1] == []
        assert time.time() - path.stat().st_mtime < 3600


class TestObstacles:
    def test_a_folder_that_cannot_be_written(self, tmp_path: Path, model: ModelFile) -> None:
        """A line in the log, and the original."""
        (tmp_path / "file").touch()
        session, events = load(tmp_path / "file" / "graphs", model)
        assert events == ["prepared networks cannot be kept"]
        np.testing.assert_array_equal(answer(session), answer(load(None, model)[0]))

    def test_a_file_without_a_digest(self, cache: Path, model: ModelFile) -> None:
        """Nothing is kept of what has no name."""
        load(cache, attrs.evolve(model, sha256=""))
        assert not cache.exists()


class TestProcessor:
    @pytest.mark.parametrize(
        ("line", "block"), [("flags : fpu avx512f avx2", 16), ("Features : fp asimd", 8), ("", 8)]
    )
    def test_block_follows_from_what_it_can_do(self, tmp_path: Path, line: str, block: int) -> None:
        """Sixteen floats fit into a register of AVX-512."""
        (tmp_path / "proc").mkdir()
        (tmp_path / "proc/cpuinfo").write_text(f"processor : 0\n{line}\n", encoding="utf-8")
        assert this_processor(tmp_path).block == block

    def test_without_proc(self, tmp_path: Path) -> None:
        """The machine's name must do."""
        assert this_processor(tmp_path).name


class TestRealNetworks:
    @pytest.mark.parametrize("name", ["det_500m", "w600k_mbf", "w600k_mbf_int8"])
    def test_answers_stay(self, shared: Path, cache: Path, name: str) -> None:
        """The rewritten networks of the buffalo packs agree with the published ones."""
        model = RealModels(shared).file(name)
        side = 64 if name == "det_500m" else 112
        x = np.random.default_rng(2).normal(size=(1, 3, side, side)).astype(np.float32)
        outputs = [load(folder, model)[0].run({"input.1": x}) for folder in (None, cache)]
        for plain, quick in zip(*outputs, strict=True):
            np.testing.assert_allclose(quick, plain, atol=1e-4 * np.abs(plain).max())
