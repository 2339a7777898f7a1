"""Packages of the extra ``demo``, imported when they are needed."""

import importlib
from typing import Any

from facecv.core.errors import RuntimeMissingError


def demo_package(name: str) -> Any:  # noqa: ANN401 - a module without types
    """Return a module of a package of the extra ``demo``.

    Raises:
        RuntimeMissingError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise RuntimeMissingError(
            f"the package {package!r} is not installed", hint="pip install 'facecv[demo]'"
        ) from error
