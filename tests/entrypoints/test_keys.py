"""API keys in their file."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from facecv.core.errors import ConfigurationError
from facecv.entrypoints.keys import ApiKey, KeyFile


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "folder" / "keys.json")


class TestFile:
    def test_no_file_is_no_key(self, keys: KeyFile) -> None:
        assert keys.keys() == ()
        assert keys.find("fcv_anything") is None

    def test_a_key_is_found_by_its_secret_only(self, keys: KeyFile) -> None:
        one, secret = keys.create("one", "enrol", ("staff",))
        other, _ = keys.create("other")
        assert keys.keys() == (one, other)
        assert keys.find(secret) == one
        assert keys.find(secret + "x") is None
        assert keys.find("") is None

    def test_the_secret_has_256_bits_and_is_kept_nowhere(self, keys: KeyFile) -> None:
        key, secret = keys.create("one")
        assert len(secret.removeprefix("fcv_")) == 43
        assert secret not in keys.path.read_text()
        assert secret not in repr(key)
        assert key.digest not in repr(key)

    def test_only_the_owner_may_read_the_file(self, keys: KeyFile) -> None:
        keys.create("one")
        assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600

    def test_a_failed_write_leaves_the_old_file(
        self, keys: KeyFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one, _ = keys.create("one")

        def full(*_: object) -> None:
            raise OSError("disk full")

        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(ConfigurationError, match="full"):
            keys.create("two")
        assert KeyFile(keys.path).keys() == (one,)
        names = {path.name for path in keys.path.parent.iterdir()}
        assert names <= {"keys.json", "keys.json.lock"}

    def test_changes_of_another_process_are_seen(self, keys: KeyFile) -> None:
        one, secret = keys.create("one")
        assert keys.find(secret) == one
        KeyFile(keys.path).revoke(one.id)
        assert keys.find(secret) is None

    def test_two_processes_lose_no_key(self, keys: KeyFile) -> None:
        code = (
            "import sys; from pathlib import Path; from facecv.entrypoints.keys import KeyFile\n"
            "for number in range(10): KeyFile(Path(sys.argv[1])).create(str(number))"
        )
        command = [sys.executable, "-c", code, str(keys.path)]
        others = [subprocess.Popen(command) for _ in range(2)]
        for number in range(10):
            keys.create(str(number))
        assert [other.wait() for other in others] == [0, 0]
        assert len(keys.keys()) == 30

    def test_who_revokes_a_key_that_is_not_there_is_told(self, keys: KeyFile) -> None:
        with pytest.raises(ConfigurationError, match="no key 'abc'"):
            keys.revoke("abc")

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"keys": [{"id": 1}]}', '{"keys": [1]}'])
    def test_a_damaged_file_is_an_error_not_an_open_door(self, keys: KeyFile, text: str) -> None:
        keys.path.parent.mkdir()
        keys.path.write_text(text)
        with pytest.raises(ConfigurationError, match="not a file of keys"):
            keys.keys()

    def test_a_scope_that_does_not_exist_is_an_error(self, keys: KeyFile) -> None:
        keys.create("one")
        entries = json.loads(keys.path.read_text())
        entries["keys"][0]["scope"] = "everything"
        keys.path.write_text(json.dumps(entries))
        with pytest.raises(ConfigurationError):
            keys.keys()


def test_each_scope_includes_the_ones_before() -> None:
    key = ApiKey("1", "one", "0", "enrol")
    assert [key.allows(scope) for scope in ("read", "enrol", "admin")] == [True, True, False]


def test_collections() -> None:
    assert ApiKey("1", "one", "0").may_touch("anything")
    only = ApiKey("1", "one", "0", collections=("staff",))
    assert (only.may_touch("staff"), only.may_touch("guests")) == (True, False)
