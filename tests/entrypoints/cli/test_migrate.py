"""``facecv gallery migrate``."""

from pathlib import Path

import pytest

from tests import graphs
from tests.entrypoints.cli.runner import Cli, World
from tests.entrypoints.http.test_models import OTHER, Others


@pytest.fixture
def both(tmp_path: Path) -> Cli:
    """Return a command line with two embedders."""
    return Cli(tmp_path, [World(), Others()])


def _enrol(cli: Cli, *flags: str) -> None:
    photo = cli.picture("ann.png", (100, 100, 112, 40))
    assert cli("enroll", photo, "--name", "ann", *flags).exit_code == 0


def test_a_collection_moves_and_is_searched_with_its_model_from_then_on(both: Cli) -> None:
    _enrol(both, "--store-crops")
    done = both.json("gallery", "migrate", "default", "--to", "other")
    assert (done["embedded"], done["to"], done["dropped"]) == (1, str(OTHER), [])
    (found,) = both.json("gallery", "collections")
    assert "other" in str(found["space"])
    assert both("identify", both.folder / "ann.png", "--embedder", "other").exit_code == 0


def test_faces_without_crops_stop_it_and_are_listed(both: Cli) -> None:
    _enrol(both)
    result = both("gallery", "migrate", "default", "--to", "other")
    assert result.exit_code == 3
    assert "no crop: face" in result.stderr
    assert "have no stored crop" in result.stderr


def test_they_may_be_left_behind(both: Cli) -> None:
    _enrol(both)
    done = both.json("gallery", "migrate", "default", "--to", "other", "--drop-without-crop")
    assert len(done["dropped"]) == 1
    assert both.json("gallery", "count")["faces"] == 0


def test_an_unknown_model_is_told(both: Cli) -> None:
    _enrol(both)
    assert both("gallery", "migrate", "default", "--to", "nobody").exit_code == 4


def test_a_model_that_nobody_would_find_is_warned_of(both: Cli) -> None:
    """The collection could not be searched until the configuration names it."""
    _enrol(both, "--store-crops")
    path = graphs.arcface(both.folder).path
    moved = both("gallery", "migrate", "default", "--to", str(path))
    assert moved.exit_code == 0
    assert f"set embedder = '{path}'" in moved.stderr
    back = both("gallery", "migrate", "default", "--to", "world")
    assert "[models]" not in back.stderr
