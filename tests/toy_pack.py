"""A whole model pack of the small networks of `tests.graphs`, in a folder with a manifest."""

from pathlib import Path

from tests import graphs

MANIFEST = """
[pack]
name = "toy"
licence = "none"

[[models]]
name = "scrfd"
file = "scrfd.onnx"
task = "detection"
provider = "scrfd"
[models.input]
std = 128.0

[[models]]
name = "arcface"
file = "arcface.onnx"
task = "recognition"
provider = "arcface"
[models.recognition]
threshold = 0.5
far = 1e-3

[[models]]
name = "genderage"
file = "genderage.onnx"
task = "attributes"
provider = "genderage"
[models.input]
mean = 0.0
std = 1.0
"""


def make_toy_pack(folder: Path) -> Path:
    """Write the pack ``toy`` (detector, embedder, age and gender) into `folder`; return it."""
    graphs.scrfd(folder)
    graphs.arcface(folder)
    graphs.genderage(folder)
    (folder / "manifest.toml").write_text(MANIFEST)
    return folder
