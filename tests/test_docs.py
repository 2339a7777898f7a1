"""The README keeps its promises."""

import inspect
import tomllib
from pathlib import Path

import pytest

from facecv.plugins import hookspecs

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
HOOKS = sorted(name for name in vars(hookspecs) if name.startswith("facecv_"))


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented_with_its_signature(hook: str) -> None:
    arguments = ", ".join(inspect.signature(getattr(hookspecs, hook)).parameters)
    assert f"`{hook}({arguments})`" in README


def test_every_hook_has_a_test() -> None:
    tests = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")
    )
    kinds = (ROOT / "plugins" / "manager.py").read_text(encoding="utf-8")
    assert [hook for hook in HOOKS if hook not in tests + kinds] == []


def test_every_extra_is_documented() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = set(project["optional-dependencies"])
    assert [extra for extra in sorted(extras) if extra not in README] == []


def test_the_plugin_in_the_readme_works(tmp_path: Path) -> None:
    """Run the example's code as it stands in the README."""
    import numpy as np

    from facecv.core.ports.detector import DetectorOptions
    from facecv.plugins import BuildRequest
    from facecv.plugins.manager import catalogue_of

    code = README.split("# facecv_corner.py\n")[1].split("```")[0]
    namespace: dict[str, object] = {"__name__": "facecv_corner"}
    exec(compile(code, "facecv_corner.py", "exec"), namespace)  # noqa: S102 - our own README
    plugin = type(
        "facecv_corner",
        (),
        {
            k: staticmethod(v) if callable(v) else v
            for k, v in namespace.items()
            if k.startswith("facecv_")
        },
    )
    provider = catalogue_of(plugin).provider("detectors", "corner")
    detector = provider.build(BuildRequest(provider.settings(side=4.0)))
    black, white = np.zeros((9, 9, 3), np.uint8), np.full((9, 9, 3), 255, np.uint8)
    found = detector.detect([black, white], DetectorOptions())
    assert [len(faces) for faces in found] == [0, 1]
