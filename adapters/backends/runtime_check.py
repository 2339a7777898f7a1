"""Which distribution of ONNX Runtime is installed, and whether it is exactly one.

All of them install a package of one name: two together overwrite each other's files, and what
then runs is a matter of chance.
"""

import importlib
import os
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from facecv.core.errors import RuntimeConflictError, RuntimeMissingError

DISTRIBUTIONS = (
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-openvino",
    "onnxruntime-directml",
    "onnxruntime-qnn",
    "onnxruntime-rocm",
    "onnxruntime-migraphx",
    "onnxruntime-training",
)
"""Distributions that provide the package ``onnxruntime``."""


def installed_runtimes() -> dict[str, str]:
    """Return the installed distributions of ONNX Runtime and their versions."""
    found: dict[str, str] = {}
    for name in DISTRIBUTIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def check_runtimes(installed: Mapping[str, str]) -> None:
    """Check that exactly one distribution of ONNX Runtime is installed.

    Args:
        installed: names and versions, as `installed_runtimes` returns them.

    Raises:
        RuntimeMissingError: there is none; the hint says what to install.
        RuntimeConflictError: there are several; the hint says what to remove.
    """
    if not installed:
        raise RuntimeMissingError(
            "ONNX Runtime is not installed",
            hint="run: pip install 'facecv[cpu]' (with an NVIDIA GPU: pip install 'facecv[cuda]')",
        )
    if len(installed) > 1:
        raise RuntimeConflictError(
            f"{' and '.join(installed)} are installed together and overwrite each other's files",
            hint=_remedy(installed),
            details={"distributions": dict(installed)},
        )


def _remedy(installed: Mapping[str, str]) -> str:
    extra = "cuda" if "onnxruntime-gpu" in installed else "cpu"
    return f"run: pip uninstall -y {' '.join(installed)} && pip install 'facecv[{extra}]'"


def load_runtime() -> Any:  # noqa: ANN401 - the library has no types
    """Return the package ``onnxruntime``, imported.

    The Linux wheels from 1.29 on tell Microsoft about every session, unless they are told not to
    before they are imported. They are told, where the user has not set ORT_DISABLE_TELEMETRY.

    Raises:
        RuntimeMissingError: it is not installed, or cannot be imported.
        RuntimeConflictError: several distributions of it are installed.
    """
    check_runtimes(installed_runtimes())
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        return importlib.import_module("onnxruntime")
    except ImportError as error:
        raise RuntimeMissingError(
            f"ONNX Runtime is installed but cannot be imported: {error}",
            hint="run: pip install --force-reinstall 'facecv[cpu]'",
        ) from error
