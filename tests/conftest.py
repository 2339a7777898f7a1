"""Fixtures that every test may use."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import structlog

pytest.register_assert_rewrite("facecv.plugins.contracts")

collect_ignore = [] if find_spec("facecv.models.training") else ["training"]


def pytest_configure() -> None:
    """Keep ONNX Runtime, which some tests import themselves, from telling anybody about them."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def pytest_report_header() -> list[str]:
    """Say what is left out: the wheel does not hold the training recipes."""
    return ["training recipes: not installed, see tox -e training"] if collect_ignore else []


@pytest.fixture(autouse=True)
def _logging_as_at_the_start() -> Iterator[None]:
    """Leave no test the logging that another set up."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what tests cache out of the user's cache folder, where XDG says where that is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real weights and photos; skip where it is absent.

    It lies beside the project as ``../shared``; the environment variable FACECV_SHARED names
    another place.
    """
    default = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("FACECV_SHARED", default))
    if not (folder / "models").is_dir():
        pytest.skip(f"no weights and photos at {folder} (set FACECV_SHARED)")
    return folder
