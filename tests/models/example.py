"""Manifests that tests write."""

from pathlib import Path

DETECTOR = """
[[models]]
name = "det"
file = "det.onnx"
task = "detection"
provider = "scrfd"
"""

EMBEDDER = """
[[models]]
name = "rec"
file = "rec.onnx"
task = "recognition"
provider = "arcface"
"""

ARCHIVE = """
[pack.archive]
url = "https://example.org/mine.zip"
"""


def manifest(name: str, *parts: str) -> str:
    """Return a manifest of a pack called `name`; `parts` are further tables."""
    return f'[pack]\nname = "{name}"\n' + "".join(parts)


def write(path: Path, text: str) -> Path:
    """Write `text` to `path`, in folders that are made, and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
