"""Exactly one distribution of ONNX Runtime."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from facecv.adapters.backends.runtime_check import (
    check_runtimes,
    installed_runtimes,
    load_runtime,
)
from facecv.core.errors import RuntimeConflictError, RuntimeMissingError


def test_one_is_fine() -> None:
    """Whichever it is."""
    check_runtimes({"onnxruntime-gpu": "1.31.0"})


def test_none_says_what_to_install() -> None:
    """With the extra of each kind of machine."""
    with pytest.raises(RuntimeMissingError) as caught:
        check_runtimes({})
    assert "pip install 'facecv[cpu]'" in caught.value.hint
    assert "pip install 'facecv[cuda]'" in caught.value.hint


def test_two_say_what_to_remove() -> None:
    """Both must go, since they overwrote each other."""
    with pytest.raises(RuntimeConflictError, match="onnxruntime and onnxruntime-gpu") as caught:
        check_runtimes({"onnxruntime": "1.32.0", "onnxruntime-gpu": "1.31.0"})
    assert "pip uninstall -y onnxruntime onnxruntime-gpu" in caught.value.hint
    assert "facecv[cuda]" in caught.value.hint


def test_the_one_of_this_environment_loads() -> None:
    """What is listed is what is imported."""
    (version,) = installed_runtimes().values()
    assert load_runtime().__version__ == version


def test_the_runtime_tells_nobody_about_sessions(tmp_path: Path) -> None:
    """It would make itself an identity and a queue of reports in the user's cache."""
    script = (
        "import facecv.adapters.backends.runtime_check as it; it.load_runtime().SessionOptions()"
    )
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    environment = kept | {"HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    assert list(tmp_path.rglob("*")) == []
