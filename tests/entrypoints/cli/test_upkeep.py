"""gallery prepare and gallery rotate-key."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.entrypoints.cli.runner import Cli

KEY, OTHER = "00" * 32, "ab" * 32
SETTING = "FACECV_GALLERIES__SQLITE__KEY_FILE"


@pytest.fixture
def enrolled(cli: Cli) -> Cli:
    """Return the command line with one person enrolled."""
    cli.picture("Ada.png", (10, 10, 80, 10))
    assert cli("enroll", "Ada.png", "--name", "Ada", "--store-crops").exit_code == 0
    return cli


def write_key(cli: Cli, name: str, key: str) -> Path:
    path = cli.folder / name
    path.write_text(f"{key}\n")
    return path


def known(cli: Cli) -> int:
    """Return the exit code of identifying the person who is enrolled."""
    return cli("identify", "Ada.png").exit_code


def vectors(cli: Cli) -> list[bytes]:
    with closing(sqlite3.connect(cli.folder / "gallery.db")) as conn:
        return [row[0] for row in conn.execute("SELECT vector FROM faces")]


def test_a_gallery_is_prepared(enrolled: Cli) -> None:
    result = enrolled("gallery", "prepare")
    assert (result.exit_code, result.stderr) == (0, "default is ready\n")
    assert enrolled("gallery", "prepare", "--collection", "nowhere").exit_code == 3


def test_a_gallery_is_encrypted_and_its_key_changed(
    enrolled: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("cryptography")
    plain = vectors(enrolled)
    first, second = write_key(enrolled, "1.key", KEY), write_key(enrolled, "2.key", OTHER)
    for new in (first, second):
        assert enrolled("gallery", "rotate-key", "--new-key-file", new, "-y").exit_code == 0
        assert set(vectors(enrolled)).isdisjoint(plain)
        assert known(enrolled) == 3
        monkeypatch.setenv(SETTING, str(new))
        assert known(enrolled) == 0
    assert enrolled("gallery", "rotate-key", "--plain", "-y").exit_code == 0
    assert vectors(enrolled) == plain
    assert known(enrolled) == 3
    monkeypatch.delenv(SETTING)
    assert known(enrolled) == 0


def test_a_key_in_a_variable(enrolled: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cryptography")
    monkeypatch.setenv("MY_KEY", KEY)
    command = ("gallery", "rotate-key", "--new-key-variable", "MY_KEY", "--yes")
    assert enrolled(*command).exit_code == 0
    (enrolled.folder / "facecv.toml").write_text('[galleries.sqlite]\nkey_variable = "MY_KEY"\n')
    assert known(enrolled) == 0


@pytest.mark.parametrize("content", ["", "zz" * 32, "00" * 16, KEY + "00"])
def test_what_is_no_key_is_told_and_not_shown(enrolled: Cli, content: str) -> None:
    path = write_key(enrolled, "odd.key", content)
    result = enrolled("gallery", "rotate-key", "--new-key-file", path, "-y")
    assert result.exit_code == 2
    assert "openssl rand -hex 32" in result.stderr
    assert not content or content not in result.stderr


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--plain", "--new-key-variable", "HOME"),
        ("--new-key-file", "gone.key"),
        ("--new-key-variable", "NOT_SET_ANYWHERE"),
    ],
)
def test_no_new_key_or_too_many_are_usage_errors(enrolled: Cli, options: tuple[str, ...]) -> None:
    assert enrolled("gallery", "rotate-key", *options, "-y").exit_code == 2


def test_a_gallery_in_memory_cannot_be_encrypted(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_key(cli, "1.key", KEY)
    command = ("gallery", "rotate-key", "--new-key-file", path, "--gallery", "memory", "-y")
    assert cli(*command).exit_code == 3


def test_nothing_is_changed_without_a_yes(enrolled: Cli) -> None:
    path, before = write_key(enrolled, "1.key", KEY), vectors(enrolled)
    assert enrolled("gallery", "rotate-key", "--new-key-file", path, text="n\n").exit_code == 1
    assert vectors(enrolled) == before
