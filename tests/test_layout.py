"""The layout that packaging depends on."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("adapters", "core", "entrypoints", "models", "plugins")


def test_the_package_folder_holds_exactly_the_links() -> None:
    package = ROOT / "src" / "facecv"
    links = {
        path.name: path.readlink().as_posix() for path in package.iterdir() if path.is_symlink()
    }
    assert links == {name: f"../../{name}" for name in FOLDERS}
    files = {path.name for path in package.iterdir()} - set(FOLDERS) - {"__pycache__"}
    assert files == {"__init__.py", "py.typed"}


def test_the_wheel_takes_every_folder() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(FOLDERS) < set(wheel["only-include"])
    assert set(FOLDERS) < set(wheel["sources"])


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_of_code_is_a_package(folder: str) -> None:
    sources = {path.parent for path in (ROOT / folder).rglob("*.py")}
    missing = [path for path in sources if not (path / "__init__.py").is_file()]
    assert missing == []
