"""The program as a whole: help, exit codes, errors, signals, start-up."""

import json
import os
import subprocess
import sys
from typing import get_args

import pytest

from facecv.core import errors as core
from facecv.core.liveness import LivenessGate
from facecv.core.ports.detector import Passes
from facecv.core.ports.inference_backend import Device
from facecv.core.quality import GateName
from facecv.core.services.find import Order, Rotate
from facecv.entrypoints.cli import options
from facecv.entrypoints.cli.errors import exit_code, one_line
from facecv.entrypoints.logging import Level
from tests.entrypoints.cli.runner import Cli

HEAVY = {"cattrs", "cv2", "httpx", "numpy", "onnxruntime", "PIL", "sqlite_utils", "structlog"}
COMMANDS = [
    "detect",
    "analyze",
    "embed",
    "verify",
    "enroll",
    "identify",
    "gallery",
    "models",
    "plugins",
    "stream",
    "events",
    "attendance",
    "config",
    "doctor",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_listed_and_tells_exit_codes(cli: Cli, command: str) -> None:
    assert f" {command} " in cli("--help").stdout
    result = cli(command, "--help")
    assert result.exit_code == 0
    assert "Exit codes: 0 done" in " ".join(result.stdout.split())


def test_version(cli: Cli) -> None:
    assert cli("--version").stdout.startswith("facecv ")


@pytest.mark.parametrize("wrong", [("detcet",), ("detect",), ("detect", "a.png", "--nonsense")])
def test_wrong_usage_is_exit_code_2(cli: Cli, wrong: tuple[str, ...]) -> None:
    result = cli(*wrong)
    assert result.exit_code == 2
    assert not result.stdout


@pytest.mark.parametrize(
    ("listed", "allowed"),
    [
        (options.DEVICES, Device),
        (options.PASSES, Passes),
        (options.ORDERS, Order),
        (options.ROTATIONS, Rotate),
        (options.GATES, GateName),
        (options.LIVENESS_GATES, LivenessGate),
        (options.LEVELS, Level),
    ],
)
def test_choices_are_those_of_the_core(listed: tuple[str, ...], allowed: object) -> None:
    assert listed == get_args(allowed)


class TestErrors:
    @pytest.mark.parametrize(
        ("kind", "code"),
        [
            (core.ConfigurationError, 2),
            (core.ImageDecodeError, 3),
            (core.QualityError, 3),
            (core.CollectionNotFoundError, 3),
            (core.ModelNotFoundError, 4),
            (core.IntegrityError, 4),
            (core.DeviceUnavailableError, 4),
            (core.RuntimeMissingError, 4),
            (core.UnknownProviderError, 4),
        ],
    )
    def test_every_family_has_an_exit_code(self, kind: type[core.FaceCVError], code: int) -> None:
        assert exit_code(kind("wrong")) == code

    def test_a_message_of_many_lines_becomes_one(self) -> None:
        assert one_line(core.InputError("a\n  b", hint="do c")) == "a b (do c)"

    def test_an_error_is_one_line_with_its_hint(self, cli: Cli) -> None:
        result = cli("detect", "a.png", "--backend", "onnxruntim")
        assert result.exit_code == 4
        (line,) = result.stderr.splitlines()
        assert line.startswith("error: ")
        assert "did you mean 'onnxruntime'?" in line

    @pytest.mark.parametrize("place", ["before", "after"])
    def test_debug_shows_the_traceback(self, cli: Cli, place: str) -> None:
        words = ["detect", "a.png", "--backend", "nope"]
        words.insert(0 if place == "before" else 4, "--debug")
        result = cli(*words)
        assert result.exit_code == 4
        assert "Traceback (most recent call last)" in result.stderr

    def test_debug_shows_the_traceback_of_a_bad_picture(self, cli: Cli) -> None:
        assert "Traceback" in cli("detect", "gone.png", "--debug").stderr

    def test_a_bug_stays_a_traceback(self, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("facecv.entrypoints.api.Engine.detect", lambda *_: 1 / 0)
        photo = cli.picture("a.png", (10, 10, 80, 10))
        with pytest.raises(ZeroDivisionError):
            cli("detect", photo)

    @pytest.mark.parametrize("named", [True, False])
    def test_a_file_that_may_not_be_touched_is_one_line(
        self, cli: Cli, monkeypatch: pytest.MonkeyPatch, *, named: bool
    ) -> None:
        """Wherever it is noticed; what is about no file is a bug."""

        def refused(*_: object) -> None:
            raise PermissionError(13, "Permission denied", *(["/locked/a.png"] * named))

        monkeypatch.setattr("facecv.entrypoints.api.Engine.detect", refused)
        photo = cli.picture("a.png", (10, 10, 80, 10))
        if not named:
            with pytest.raises(PermissionError):
                cli("detect", photo)
            return
        result = cli("detect", photo)
        assert result.exit_code == 3
        line = "error: /locked/a.png cannot be used: Permission denied"
        assert result.stderr.splitlines() == [line]
        assert "Traceback" in cli("detect", photo, "--debug").stderr

    def test_an_interrupt_is_exit_code_130(self, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt  # a process in the background may ignore the signal itself

        monkeypatch.setattr("facecv.entrypoints.api.Engine.detect", interrupted)
        result = cli("detect", cli.picture("a.png", (10, 10, 80, 10)))
        assert result.exit_code == 130
        assert result.stderr.splitlines() == ["interrupted"]


class TestProcess:
    """What shows in a process of its own only."""

    def test_help_loads_no_heavy_library(self) -> None:
        code = (
            "import sys, facecv.entrypoints.cli as cli\n"
            "sys.argv = ['facecv', '--help']\n"
            "try:\n    cli.main()\n"
            "except SystemExit as end:\n    assert end.code == 0, end.code\n"
            f"print(*{HEAVY} & set(sys.modules))\n"
        )
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        assert run.stdout.splitlines()[-1].strip() == b""

    def test_garbage_is_collected_while_a_command_runs(self) -> None:
        """It is not while modules are imported, which is none."""
        code = (
            "import gc, sys, facecv.entrypoints.cli as cli\n"
            "from facecv.entrypoints.cli.invocation import Invocation\n"
            "Invocation.config = lambda self: print(gc.isenabled()) or sys.exit()\n"
            "sys.argv = ['facecv', 'config']\n"
            "cli.main()\n"
        )
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        assert run.stdout.split() == [b"True"]

    def test_progress_on_a_terminal_stays_out_of_a_pipe(self, cli: Cli) -> None:
        """With the output in a file and the errors on a terminal, the file gets the results."""
        pty = pytest.importorskip("pty")
        photos = [str(cli.folder / name) for name in ("gone.png", "gone too.png")]
        command = [sys.executable, "-c", "from facecv.entrypoints.cli import main; main()"]
        terminal, end = pty.openpty()
        with subprocess.Popen(
            [*command, "detect", *photos, "--jsonl", "--pack", "buffalo_s"],
            stdout=subprocess.PIPE,
            stderr=end,
        ) as process:
            assert process.stdout
            lines = process.stdout.read().splitlines()
        os.close(end)
        os.close(terminal)
        assert [json.loads(line)["error"]["code"] for line in lines] == ["image-not-found"] * 2

    def test_a_reader_that_has_enough_is_no_error(self) -> None:
        """A closed pipe ends the program without a word."""
        command = [sys.executable, "-c", "from facecv.entrypoints.cli import main; main()"]
        with subprocess.Popen(
            [*command, "config", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout
            assert process.stderr
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait() == 141
