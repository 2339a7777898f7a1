"""config, plugins and doctor: what is there, and what is wrong with it."""

import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import rich_click as click

from facecv.core.ports.detector import Detector
from facecv.plugins import Provider, hookimpl
from tests.core.services import world
from tests.entrypoints.cli.runner import Cli


class Greeter:
    """A plugin with a command that uses the engine."""

    @hookimpl
    def facecv_cli(self, group: click.RichGroup, engine_factory: Callable[[], Any]) -> None:
        @group.command()
        def greet() -> None:
            """Greet with the collection's name."""
            click.echo(f"hello {engine_factory().config.collection}")


class Thief:
    """A plugin that wants the name of one of our commands."""

    @hookimpl
    def facecv_cli(self, group: click.RichGroup) -> None:
        group.add_command(click.RichCommand(name="detect", callback=lambda: click.echo("stolen")))


class Rival:
    """A plugin with a detector of a name that is taken."""

    @hookimpl
    def facecv_register_detectors(self) -> Iterable[Provider[Detector]]:
        return [Provider("world", lambda _: world.WorldDetector())]


class Broken:
    """A plugin that cannot say what it has."""

    @hookimpl
    def facecv_register_detectors(self) -> Any:
        raise RuntimeError("no camera")


class TestConfig:
    def test_every_setting_says_where_it_is_from(
        self, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (cli.folder / "facecv.toml").write_text('collection = "staff"\n[detection]\ntile = 900\n')
        monkeypatch.setenv("FACECV_DETECTION__MAX_FACES", "3")
        found = {one["setting"]: one for one in cli.json("config", "--device", "cpu")}
        assert found["collection"]["from"] == "facecv.toml"
        assert found["detection.tile"] == {
            "setting": "detection.tile",
            "value": 900,
            "from": "facecv.toml",
        }
        assert found["detection.max_faces"]["from"] == "FACECV_DETECTION__MAX_FACES"
        assert found["device"]["from"] == "the arguments"
        assert found["detection.order"]["from"] == "default"

    def test_the_table(self, cli: Cli) -> None:
        assert "detection.score_threshold" in cli("config").stdout

    def test_toml_is_a_whole_configuration(self, cli: Cli) -> None:
        text = cli("config", "--toml", "--tile", 700).stdout
        assert tomllib.loads(text)["detection"]["tile"] == 700
        (cli.folder / "facecv.toml").write_text(text)
        assert cli("config").exit_code == 0

    def test_the_file_in_use(self, cli: Cli) -> None:
        missing = cli("config", "path")
        assert missing.exit_code == 1
        assert "facecv.toml" in missing.stderr
        (cli.folder / "facecv.toml").write_text("")
        assert cli("config", "path").stdout.strip() == str(cli.folder / "facecv.toml")

    def test_a_misspelt_key_names_file_and_nearest(self, cli: Cli) -> None:
        (cli.folder / "facecv.toml").write_text("devise = 'cpu'\n")
        result = cli("config")
        assert result.exit_code == 2
        assert "facecv.toml: devise" in result.stderr
        assert "'device'" in result.stderr
        assert len(result.stderr.splitlines()) == 1


class TestPlugins:
    def test_tells_what_each_provides(self, cli: Cli) -> None:
        world = next(one for one in cli.json("plugins") if one["name"] == "World")
        assert world["provides"]["detectors"] == ["world"]
        assert world["provides"]["packs"] == ["world"]
        assert world["error"] is None

    def test_a_broken_one_is_told_and_harms_nobody(self, cli: Cli) -> None:
        cli.plugins.append(Broken())
        result = cli("plugins")
        assert result.exit_code == 4
        assert "no camera" in result.stdout
        photo = cli.picture("a.png", (10, 10, 80, 10))
        assert cli("detect", photo).exit_code == 0

    def test_a_command_of_a_plugin_runs_with_the_engine(self, cli: Cli) -> None:
        cli.plugins.append(Greeter())
        assert cli("greet").stdout == "hello default\n"
        assert "Greet with" in cli("--help").stdout

    def test_a_command_of_ours_is_not_replaced(self, cli: Cli) -> None:
        cli.plugins.append(Thief())
        result = cli("--help")
        assert result.exit_code == 0
        assert "Thief" in result.stderr
        assert "'detect' already" in result.stderr
        photo = cli.picture("a.png", (10, 10, 80, 10))
        assert "stolen" not in cli("detect", photo).stdout


class TestDoctor:
    @pytest.fixture
    def healthy(self, cli: Cli) -> Cli:
        folder = cli.folder / "cache" / "world"
        folder.mkdir(parents=True)
        for name in ("det.onnx", "rec.onnx"):
            (folder / name).write_bytes(b"model")
        return cli

    def test_tells_versions_devices_models_gallery_and_plugins(self, healthy: Cli) -> None:
        found = healthy.json("doctor", "--device", "cpu")
        assert {"facecv", "numpy", "python"} <= set(found["versions"])
        assert found["backend"]["devices"]["cpu"] == "available"
        assert found["backend"]["threads"] >= 1
        assert found["models"]["state"] == {"det_world": "installed", "rec_world": "installed"}
        assert found["gallery"]["path"] == str(healthy.folder / "gallery.db")
        assert found["gallery"]["state"] == "not there yet"
        assert "World" in found["plugins"]
        assert found["problems"] == []

    def test_people_read_that_everything_is_fine(self, healthy: Cli) -> None:
        assert "everything is fine" in healthy("doctor").stdout

    def test_writes_nothing(self, cli: Cli) -> None:
        cli("doctor")
        assert list(cli.folder.iterdir()) == []

    def test_writes_nothing_about_a_folder_of_models(self, cli: Cli) -> None:
        folder = cli.folder / "weights"
        folder.mkdir()
        for name in ("det.onnx", "rec.onnx"):
            (folder / name).write_bytes(b"model")
        assert cli("doctor", "--pack-dir", folder).exit_code == 0
        assert list(cli.folder.iterdir()) == [folder]
        assert len(list(folder.iterdir())) == 2

    def test_missing_models_are_a_problem(self, cli: Cli) -> None:
        result = cli("doctor")
        assert result.exit_code == 4
        assert "det_world" in result.stdout

    def test_a_pack_that_does_not_exist_is_a_problem(self, cli: Cli) -> None:
        found = cli.json("doctor", "--pack", "wrld", code=4)
        assert "wrld" in found["problems"][0]

    def test_a_device_that_cannot_be_had_is_a_problem(self, healthy: Cli) -> None:
        result = healthy("doctor", "--device", "tensorrt")
        assert result.exit_code == 4
        assert "problem: device 'tensorrt' cannot be used" in result.stdout

    def test_a_broken_plugin_is_a_problem(self, healthy: Cli) -> None:
        healthy.plugins.append(Broken())
        assert "no camera" in healthy.json("doctor", code=4)["problems"][0]

    def test_two_plugins_with_one_name_are_a_problem(self, healthy: Cli) -> None:
        """Nothing fails until the name is used, so nobody else tells of it."""
        assert healthy("plugins").exit_code == 0
        healthy.plugins.append(Rival())
        (problem,) = healthy.json("doctor", code=4)["problems"]
        assert "World and Rival both register a detector called 'world'" in problem
        result = healthy("plugins")
        assert result.exit_code == 4
        assert problem in result.stderr

    def test_the_configuration_in_use_is_named(self, healthy: Cli) -> None:
        file = Path("mine.toml")
        file.write_text("")
        found = healthy.json("doctor", "--config", file)
        assert found["configuration"]["file"] == str(file.absolute())
        assert "FACECV_PACK" in found["configuration"]["variables"]
