"""Commands that are imported when they are used: what lists show, and what runs."""

import inspect
import itertools
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from facecv.entrypoints.cli import root
from facecv.entrypoints.cli.app import PANELS, build_cli
from facecv.entrypoints.cli.lazy import LazyCommand
from tests.entrypoints.cli.runner import Cli

LISTED = list(itertools.chain(*PANELS.values()))

PLUGIN = """
import rich_click as click
from facecv.core.pack import PackManifest
from facecv.core.ports.detector import Detector
from facecv.plugins import BuildRequest, Provider, hookimpl

@hookimpl
def facecv_cli(group):
    @group.command()
    def wave():
        "Wave at everybody."
        click.echo("hello")
"""


@pytest.mark.parametrize("listed", LISTED, ids=lambda listed: listed.name)
def test_what_is_listed_is_what_the_command_says(listed: LazyCommand) -> None:
    command = listed.load()
    assert command.name == listed.name
    assert inspect.cleandoc(command.help or "").split("\n\n")[0] == listed.help
    for shown in ("short_help", "hidden", "deprecated", "aliases"):
        assert getattr(command, shown) == getattr(listed, shown)


@pytest.mark.parametrize("command", [str(listed.name) for listed in LISTED])
def test_help_is_that_of_the_command(cli: Cli, command: str) -> None:
    result = cli(command, "--help")
    assert result.exit_code == 0
    assert f"Usage: facecv {command} " in result.stdout
    assert "Exit codes" in result.stdout


def completed(*words: str) -> dict[str, str | None]:
    """Return what a shell offers after `words`, of which the last is not complete."""
    complete = ShellComplete(build_cli(find_plugins=lambda: None), {}, "facecv", "_FACECV_COMPLETE")
    return {one.value: one.help for one in complete.get_completions(list(words[:-1]), words[-1])}


class TestCompletion:
    def test_of_commands(self) -> None:
        assert set(completed("e")) == {"embed", "enroll", "events"}
        assert completed("ident")["identify"]

    def test_of_commands_in_commands(self) -> None:
        assert "create" in completed("keys", "cr")

    def test_of_options_and_their_values(self) -> None:
        assert "--device" in completed("detect", "--de")
        assert "cuda" in completed("detect", "--device", "cu")


class TestInstalledPlugins:
    """Plugins of other packages are asked for commands, and for nothing else."""

    @pytest.fixture
    def install(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        (tmp_path / "facecv_test_waving.py").write_text(PLUGIN)
        monkeypatch.syspath_prepend(tmp_path)
        points = [
            EntryPoint("waving", "facecv_test_waving", "facecv"),
            EntryPoint("gone", "facecv_test_gone", "facecv"),
        ]
        monkeypatch.setattr(root, "entry_points", lambda group: points)
        yield
        sys.modules.pop("facecv_test_waving", None)

    @pytest.mark.usefixtures("install")
    def test_their_commands_are_listed_and_run(self) -> None:
        listed = CliRunner().invoke(build_cli(), ["--help"], prog_name="facecv")
        assert "Wave at everybody." in listed.stdout
        assert CliRunner().invoke(build_cli(), ["wave"]).stdout == "hello\n"

    def test_ours_add_no_commands(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ours = EntryPoint("compat", "facecv.entrypoints.compat.insightface_rest", "facecv")
        monkeypatch.setattr(root, "entry_points", lambda group: [ours])
        assert root.installed_plugins() is None

    @pytest.mark.usefixtures("install")
    def test_one_that_cannot_be_imported_has_its_error(self) -> None:
        plugins = root.installed_plugins()
        assert plugins
        assert {info.name: bool(info.error) for info in plugins.plugins} == {
            "waving": False,
            "gone": True,
        }


def test_a_plugin_can_register_without_numpy() -> None:
    """What a plugin imports to register something is light, so that the help page is too."""
    code = (
        "import sys, facecv.plugins.found, facecv.core.pack, facecv.core.ports.detector\n"
        "print(*{'numpy', 'cattrs'} & set(sys.modules))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert run.stdout.strip() == b""
