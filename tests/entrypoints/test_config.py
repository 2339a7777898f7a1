"""Where settings come from, and what is said about wrong ones."""

from pathlib import Path
from typing import Any

import pytest

from facecv.core.errors import ConfigurationError
from facecv.entrypoints.config import Config, evolve, load


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the configuration of whoever runs the tests out of them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))


def test_nothing_given_is_the_defaults() -> None:
    assert load(environment={}) == Config()


def test_later_sources_win(tmp_path: Path) -> None:
    (tmp_path / "facecv.toml").write_text(
        'device = "cuda"\nthreads = 3\n[detection]\ninput_size = 320\nscore_threshold = 0.3\n'
    )
    environment = {"FACECV_THREADS": "4", "FACECV_DETECTION__SCORE_THRESHOLD": "0.4"}
    config = load(overrides={"detection": {"score_threshold": 0.6}}, environment=environment)
    assert config.device == "cuda"
    assert config.threads == 4
    assert config.detection.input_size == 320
    assert config.detection.score_threshold == 0.6


def test_the_file_may_be_named(tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text('pack = "mine"\n')
    assert load(file, environment={}).pack == "mine"
    assert load(environment={"FACECV_CONFIG": str(file)}).pack == "mine"
    with pytest.raises(ConfigurationError, match="no configuration file"):
        load(tmp_path / "absent.toml", environment={})


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("FACECV_PACK", "123", "123"),
        ("FACECV_RECOGNITION__THRESHOLD", "0.3", 0.3),
        ("FACECV_PACKS", '["a.toml"]', (Path("a.toml"),)),
        ("FACECV_PACK_DIR", "models", Path("models")),
    ],
)
def test_variables_take_the_type_of_their_key(variable: str, text: str, expected: Any) -> None:
    config = load(environment={variable: text})
    found: Any = config
    for key in variable.removeprefix("FACECV_").lower().split("__"):
        found = getattr(found, key)
    assert found == expected


def test_a_variable_may_set_a_provider() -> None:
    config = load(environment={"FACECV_GALLERIES__SQLITE__PATH": "x.db"})
    assert config.settings("galleries", "sqlite") == {"path": "x.db"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('detectr = "x"', r"facecv\.toml: detectr: no such key .*'detector'"),
        ("[detection]\nscore_treshold = 1", r"detection\.score_treshold: .*'score_threshold'"),
        ('threads = "4"', r"threads: int expected, got '4'"),
        ("threads = true", "threads: int expected, got True"),
        ("threads = -1", "threads.* must be >= 0"),
        ("[detection]\nscore_threshold = 7", "detection.*score_threshold.* must be <= 1"),
        ('packs = "abc"', "packs: a list expected"),
        ('device = "gpu"', "device: 'gpu' is none of 'auto', 'cpu', 'cuda', 'tensorrt'"),
        ("detection = 3", "detection: "),
        ("= =", "cannot be read"),
    ],
)
def test_wrong_settings_name_the_key_and_the_file(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "facecv.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        load(environment={})


def test_wrong_variables_and_arguments_say_so() -> None:
    with pytest.raises(ConfigurationError, match="FACECV_THREADS: threads"):
        load(environment={"FACECV_THREADS": "two"})
    with pytest.raises(ConfigurationError, match="the arguments: thread"):
        load(overrides={"thread": 2}, environment={})


def test_evolving_keeps_what_is_not_named() -> None:
    config = evolve(Config(pack="mine"), {"detection": {"input_size": 320}})
    assert config.pack == "mine"
    assert config.detection.input_size == 320
    assert config.detection.score_threshold == Config().detection.score_threshold
