"""What the arguments of the insightface package mean to our engine."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from facecv.core.errors import ConfigurationError
from facecv.core.ports.inference_backend import Device

Size = tuple[int, int]
"""Width and height, pixels."""

DEFAULT_SIZES: tuple[Size, ...] = ((128, 128), (640, 640))
"""What the package looks at where no size is named: large faces, then all others."""

_DEVICES: dict[str, Device] = {
    "CPUExecutionProvider": "cpu",
    "CUDAExecutionProvider": "cuda",
    "TensorrtExecutionProvider": "tensorrt",
}


def pack_settings(name: str | Path, root: str | Path) -> dict[str, Any]:
    """Return the settings that select a model pack.

    Args:
        name: a folder of model files, or the name of a pack.
        root: where the insightface package keeps its files.
    """
    direct = Path(name).expanduser()
    if direct.is_dir():
        return {"pack": "", "pack_dir": direct}
    local = Path(root).expanduser() / "models" / str(name)
    return {"pack": str(name), "pack_dir": local if local.is_dir() else None}


def device(providers: Sequence[Any] | None) -> Device:
    """Return the device that a list of ONNX Runtime's execution providers asks for.

    Args:
        providers: names, or pairs of name and options, in order of preference; None: any.

    Raises:
        ConfigurationError: the first cannot be had from our engine, and no CPU is listed after it.
    """
    if not providers:
        return "auto"
    names = [str(item[0] if isinstance(item, tuple | list) else item) for item in providers]
    if names[0] == "CPUExecutionProvider":
        return "cpu"
    if "CPUExecutionProvider" in names:
        return "auto"
    if names[0] not in _DEVICES:
        raise ConfigurationError(
            f"the execution provider {names[0]!r} is not supported",
            hint=f"list CPUExecutionProvider after it, or use one of {', '.join(_DEVICES)}",
        )
    return _DEVICES[names[0]]


def detection_sizes(det_size: ArrayLike | None) -> tuple[Size, ...]:
    """Return the sizes at which a picture is looked at, each once.

    Args:
        det_size: a width and a height, several such pairs, or None or (0, 0) for the defaults.

    Raises:
        ConfigurationError: it is something else.
    """
    if det_size is None:
        return DEFAULT_SIZES
    given = np.atleast_2d(np.asarray(det_size))
    if given.ndim != 2 or given.shape[1] != 2 or given.dtype.kind not in "iuf":
        raise ConfigurationError(f"det_size must be a width and a height, got {det_size!r}")
    sizes: list[Size] = []
    for width, height in given.astype(int).tolist():
        if width == height == 0:
            sizes += DEFAULT_SIZES
        elif min(width, height) <= 0:
            raise ConfigurationError(f"det_size must be positive, got {det_size!r}")
        else:
            sizes.append((width, height))
    return tuple(dict.fromkeys(sizes))
