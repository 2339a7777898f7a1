"""``facecv keys``."""

import pytest

from tests.entrypoints.cli.runner import Cli


def test_the_life_of_a_key(cli: Cli) -> None:
    file = ("--keys", "keys.json")
    made = cli.json("keys", "create", "camera", "--scope", "enrol", "--collection", "staff", *file)
    assert made["key"].startswith("fcv_")
    shown = {name: value for name, value in made.items() if name != "key"}
    assert cli.json("keys", "list", *file) == [shown]
    assert (shown["name"], shown["scope"], shown["collections"]) == ("camera", "enrol", ["staff"])
    assert cli("keys", "revoke", made["id"], *file).exit_code == 0
    assert cli.json("keys", "list", *file) == []


def test_a_new_key_is_all_that_is_printed(cli: Cli) -> None:
    result = cli("keys", "create", "me", "--keys", "keys.json")
    assert result.stdout.strip().startswith("fcv_")
    assert result.stderr == ""
    assert result.stdout.strip() not in cli("keys", "list", "--keys", "keys.json").stdout


def test_an_unknown_id(cli: Cli) -> None:
    result = cli("keys", "revoke", "nobody", "--keys", "keys.json")
    assert result.exit_code == 2
    assert "facecv keys list" in result.stderr


def test_a_server_for_others_wants_a_key(cli: Cli) -> None:
    result = cli("serve", "--host", "0.0.0.0", "--keys", "keys.json")  # noqa: S104 - refused
    assert result.exit_code == 2
    assert "without a key" in result.stderr


def test_a_server_on_a_port_that_is_taken(cli: Cli) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = cli("serve", "--port", port, "--keys", "keys.json")
    assert result.exit_code == 2
    assert "--port" in result.stderr


def test_without_the_extra_the_command_says_which_one(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib

    real = importlib.import_module

    def missing(name: str) -> object:
        if name == "facecv.entrypoints.http.server":
            raise ModuleNotFoundError("no uvicorn", name="uvicorn")
        return real(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    result = cli("serve")
    assert result.exit_code == 4
    assert "facecv[server]" in result.stderr
