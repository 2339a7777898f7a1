"""What the processor can do, as far as the layout of tensors depends on it."""

import platform
from pathlib import Path

import attrs


@attrs.frozen
class Processor:
    """A kind of processor.

    Attributes:
        name: machine and instruction sets, in words; equal where prepared networks may be shared.
        block: channels that ONNX Runtime works on at once.
    """

    name: str
    block: int


def this_processor(root: Path = Path("/")) -> Processor:
    """Return what this process runs on.

    Args:
        root: where ``proc`` is found.
    """
    features = _features(root / "proc/cpuinfo") or platform.processor()
    name = f"{platform.system()} {platform.machine()} {features}"
    return Processor(name, 16 if "avx512f" in features.split() else 8)


def _features(cpuinfo: Path) -> str:
    """Return the instruction sets that Linux lists, sorted; empty elsewhere."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        key, _, words = line.partition(":")
        if key.strip().lower() in {"flags", "features"}:
            return " ".join(sorted(words.split()))
    return ""
