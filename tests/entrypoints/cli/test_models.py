"""models: which packs there are, and getting, checking and removing them."""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from tests.entrypoints.cli import runner
from tests.entrypoints.cli.runner import Cli


@pytest.fixture
def source(cli: Cli) -> Path:
    """A folder that holds the files of the pack ``world``."""
    folder = cli.folder / "download"
    folder.mkdir()
    (folder / "det.onnx").write_bytes(b"detector")
    (folder / "rec.onnx").write_bytes(b"embedder")
    return folder


def pack(cli: Cli, name: str = "world") -> Any:
    (found,) = [one for one in cli.json("models", "list") if one["pack"] == name]
    return found


def states(cli: Cli) -> list[str]:
    return [model["state"] for model in pack(cli)["models"]]


class TestList:
    def test_every_known_pack_and_the_one_in_use_first(self, cli: Cli) -> None:
        found = cli.json("models", "list")
        assert found[0]["pack"] == "world"
        assert [one["in_use"] for one in found].count(True) == 1
        assert {"buffalo_l", "antelopev2"} < {one["pack"] for one in found}
        states = {one["pack"]: {model["state"] for model in one["models"]} for one in found}
        assert states.pop("nano") == {"embedded"}
        assert set.union(*states.values()) == {"not pulled"}

    def test_the_table_tells_sizes_and_licences(self, cli: Cli) -> None:
        text = cli("models", "list").stdout
        assert "w600k_r50" in text
        assert "174.4 MB" in text
        assert "for tests only" in text
        assert text.count("InsightFace model licence") == 1

    def test_a_folder_is_in_use_from_where_it_is(self, cli: Cli, source: Path) -> None:
        found = cli.json("models", "list", "--pack-dir", source)
        assert found[0]["path"] == str(source)
        assert {model["state"] for model in found[0]["models"]} == {"folder"}
        assert [one["pack"] for one in found].count("world") == 1


NANO = ("--pack", "nano", "--detector", "det_nano", "--embedder", "embed_nano")


class TestLoad:
    """What runs the configured models, which only loading them tells."""

    def test_the_list_tells_what_runs_them(self, cli: Cli) -> None:
        """All of their operators on the CPU; nothing is said of others."""
        found = cli.json("models", "list", "--load", "--device", "cpu", *NANO)
        models = {one["name"]: one for pack in found for one in pack["models"]}
        assert models["det_nano"]["providers"] == ["CPUExecutionProvider"]
        assert models["det_nano"]["share"] == models["embed_nano"]["share"] == 1.0
        assert models["w600k_r50"]["providers"] == []
        table = cli("models", "list", "--load", "--device", "cpu", *NANO).stdout
        assert table.count("CPUExecutionProvider 100%") == 2

    def test_so_does_the_doctor(self, cli: Cli) -> None:
        """A model that cannot be loaded is a problem; exit code 4."""
        found = cli.json("doctor", "--load", "--device", "cpu", *NANO)
        assert found["loaded"]["det_nano"] == "100% of its operators on CPUExecutionProvider"
        broken = cli.folder / "broken.onnx"
        broken.write_bytes(b"no network")
        answer = cli.json("doctor", "--load", *NANO, "--detector", broken, code=4)
        assert any("broken" in problem for problem in answer["problems"])


class TestBuild:
    """Networks made ready ahead of time."""

    def words(self, cli: Cli, *more: object) -> list[object]:
        return ["models", "build", *NANO, *more]

    @pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
    def test_fills_the_cache_once(
        self, cli: Cli, monkeypatch: pytest.MonkeyPatch, backend: str
    ) -> None:
        """The second time there is nothing left to make."""
        pytest.importorskip(backend)
        key = {"onnxruntime": "GRAPH_CACHE", "openvino": "CACHE_DIR"}[backend]
        folder = cli.folder / "made"
        monkeypatch.setenv(f"FACECV_BACKENDS__{backend.upper()}__{key}", str(folder))
        monkeypatch.setenv("FACECV_BACKEND", backend)
        first = cli.json(*self.words(cli, "--device", "cpu"))
        assert [one["model"] for one in first] == ["det_nano", "embed_nano"]
        assert {one["cache"] for one in first} == {str(folder)}
        assert all(one["made"] and (folder / one["made"][0]).is_file() for one in first)
        again = cli.json(*self.words(cli, "--device", "cpu"))
        assert [one["made"] for one in again] == [[], []]
        assert "was ready" in cli(*self.words(cli, "--device", "cpu")).stdout

    def test_what_was_made_belongs_to_what_runs_the_models(
        self, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With 'auto' too, whose choice is known only then."""
        folder, real = cli.folder / "made", OnnxRuntimeBackend.caches
        monkeypatch.setenv("FACECV_BACKENDS__ONNXRUNTIME__GRAPH_CACHE", str(folder))

        def of_another(backend: OnnxRuntimeBackend) -> Mapping[str, Path]:
            return {"CUDAExecutionProvider": real(backend)["CPUExecutionProvider"]}

        monkeypatch.setattr(OnnxRuntimeBackend, "caches", of_another)
        found = cli.json(*self.words(cli, "--device", "auto"))
        assert {(one["cache"], *one["made"]) for one in found} == {(None,)}
        monkeypatch.setattr(OnnxRuntimeBackend, "caches", real)
        assert f"kept in {folder}" in cli(*self.words(cli, "--device", "auto")).stdout

    def test_tells_what_cannot_be_built(self, cli: Cli) -> None:
        """The other models are built all the same."""
        broken = cli.folder / "broken.onnx"
        broken.write_bytes(b"no network")
        found = cli.json(*self.words(cli, "--detector", broken), code=4)
        assert ["broken" in one["error"] for one in found] == [True, False]


class TestImport:
    def test_from_a_folder(self, cli: Cli, source: Path) -> None:
        assert cli("models", "import", source).exit_code == 0
        assert states(cli) == ["installed", "installed"]

    def test_from_an_archive_named_after_the_pack(self, cli: Cli, source: Path) -> None:
        archive = zipped(source, cli.folder / "world.zip")
        assert cli("models", "import", archive).exit_code == 0
        assert states(cli) == ["installed", "installed"]

    def test_from_an_archive_with_another_name(self, cli: Cli, source: Path) -> None:
        archive = zipped(source, cli.folder / "download.zip")
        result = cli("models", "import", archive)
        assert result.exit_code == 4
        assert "--pack" in result.stderr
        assert cli("models", "import", archive, "--pack", "world").exit_code == 0

    def test_what_is_lacking_is_told(self, cli: Cli, source: Path) -> None:
        (source / "rec.onnx").unlink()
        result = cli("models", "import", source, "--pack", "world")
        assert result.exit_code == 0
        assert "rec_world" in result.stderr
        assert states(cli) == ["installed", "missing"]

    def test_what_is_not_there(self, cli: Cli) -> None:
        assert cli("models", "import", "gone.zip").exit_code == 4


class TestVerify:
    def test_good_files_and_damaged_ones(self, cli: Cli, source: Path) -> None:
        cli("models", "import", source)
        assert {one["state"] for one in cli.json("models", "verify")} == {"ok"}
        (cli.folder / "cache" / "world" / "det.onnx").write_bytes(b"damaged!")
        answer = cli.json("models", "verify", "world", code=4)
        assert [one["state"] for one in answer] == ["damaged", "ok"]

    def test_the_embedded_pack_is_always_here(self, cli: Cli) -> None:
        answer = cli.json("models", "verify")
        assert {(one["pack"], one["state"]) for one in answer} == {("nano", "ok")}

    def test_a_pack_that_is_not_here_is_missing(self, cli: Cli) -> None:
        assert {one["state"] for one in cli.json("models", "verify", "world", code=4)} == {
            "missing"
        }


class TestRemove:
    def test_a_pack_is_deleted_after_a_yes(self, cli: Cli, source: Path) -> None:
        cli("models", "import", source)
        assert cli("models", "remove", "world", text="n\n").exit_code == 1
        assert states(cli) == ["installed", "installed"]
        assert cli("models", "remove", "world", "--yes").exit_code == 0
        assert states(cli) == ["not pulled", "not pulled"]


class TestPull:
    def test_what_is_here_is_not_downloaded_again(
        self, cli: Cli, source: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(runner, "PACK", published(source))
        cli("models", "import", source)
        result = cli("models", "pull", "world")
        assert result.exit_code == 0
        assert "2 models" in result.stdout
        assert "licence" not in result.stderr

    def test_the_licence_is_shown_before_a_download(
        self, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FACECV_MODEL_STORES__LOCAL__OFFLINE", "true")
        result = cli("models", "pull", "world")
        assert result.exit_code == 4
        assert "for tests only" in result.stderr
        assert "offline" in result.stderr

    def test_an_unknown_pack_names_the_nearest(self, cli: Cli) -> None:
        result = cli("models", "pull", "bufalo_l")
        assert result.exit_code == 4
        assert "buffalo_l" in result.stderr


def test_path_of_a_pack(cli: Cli) -> None:
    folder = cli.folder / "cache" / "world"
    assert cli("models", "path").stdout.strip() == str(folder)
    assert cli("models", "path", "buffalo_l").stdout.strip() == str(folder.with_name("buffalo_l"))
    assert not folder.exists()


def zipped(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w") as file:
        for path in folder.iterdir():
            file.write(path, path.name)
    return archive


def published(folder: Path) -> Any:
    """Return the pack with the digests of the files in `folder`."""
    models = [
        attrs.evolve(spec, sha256=hashlib.sha256((folder / spec.file).read_bytes()).hexdigest())
        for spec in runner.PACK.models
    ]
    return attrs.evolve(runner.PACK, models=tuple(models))
