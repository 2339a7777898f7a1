"""Reading manifests."""

from pathlib import Path

import pytest

from facecv.core.errors import ManifestError, ModelNotFoundError
from facecv.core.pack import ArchiveSpec, InputSpec, OperatingPoint, RecognitionSpec
from facecv.models.manifest import read_manifest, read_models
from tests.models.example import ARCHIVE, DETECTOR, EMBEDDER, manifest, write

EVERYTHING = """
[pack]
name = "mine"
summary = "two networks"
licence = "MIT"
licence_url = "https://example.org/licence"
homepage = "https://example.org"

[pack.archive]
url = "https://example.org/mine.zip"
sha256 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
size = 12

[[models]]
name = "rec"
file = "weights/rec.onnx"
task = "recognition"
provider = "arcface"
sha256 = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
size = 34
url = "https://example.org/rec.onnx"
licence = "Apache-2.0"

[models.input]
size = [112, 112]
color = "bgr"
mean = 0
std = 255

[models.recognition]
dim = 128
preprocessing = "mine-1"
threshold = 0.5
far = 1e-3
source = "measured"

[[models.recognition.points]]
far = 1e-4
similarity = 0.6
source = "too"

[models.settings]
flip = true
"""


def test_everything_a_manifest_can_say_is_read(tmp_path: Path) -> None:
    pack = read_manifest(write(tmp_path / "manifest.toml", EVERYTHING))
    model = pack.model("rec")
    assert (pack.name, pack.summary, pack.licence) == ("mine", "two networks", "MIT")
    assert pack.archive == ArchiveSpec("https://example.org/mine.zip", "a" * 64, 12)
    assert (model.file, model.sha256, model.size) == ("weights/rec.onnx", "b" * 64, 34)
    assert (model.url, model.licence) == ("https://example.org/rec.onnx", "Apache-2.0")
    assert model.input == InputSpec((112, 112), "bgr", 0.0, 255.0)
    point = OperatingPoint(1e-4, 0.6, "too")
    assert model.recognition == RecognitionSpec(128, "mine-1", 0.5, 1e-3, "measured", (point,))
    assert model.settings == {"flip": True}


def test_what_is_left_out_has_defaults(tmp_path: Path) -> None:
    pack = read_manifest(write(tmp_path / "a.toml", manifest("mine", ARCHIVE, DETECTOR)))
    assert pack.model("det").input == InputSpec()
    assert pack.model("det").recognition is None
    assert pack.root is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("provider", "provder", r"models\.0\.provder.*did you mean 'provider'"),
        ("summary", "sumary", r"pack\.sumary.*did you mean 'summary'"),
        ("std = 255", "sdt = 255", r"models\.0\.input\.sdt.*did you mean 'std'"),
        ("[models.input]", "[models.inputs]", r"models\.0\.inputs.*did you mean 'input'"),
        ("similarity = 0.6", "", r"points\.0\.similarity: is missing"),
        ('name = "mine"', "", r"pack\.name: is missing"),
        ("size = 34", 'size = "34"', r"models\.0\.size: int expected, got '34'"),
        ("size = 34", "size = true", r"models\.0\.size: int expected, got True"),
        ("size = 34", "size = -1", "'size' must be >= 0"),
        ("dim = 128", "dim = 0", "'dim' must be > 0"),
        ("dim = 128", "dim = 1.5", r"recognition\.dim: int expected"),
        ("threshold = 0.5", "threshold = 50", "'threshold' must be <= 1"),
        ("std = 255", "std = 0", "'std' must be > 0"),
        ("[112, 112]", "[112]", r"input\.size"),
        ('"recognition"', '"recognising"', "none of 'detection', 'recognition'"),
        ('"bgr"', '"cmyk"', "none of 'rgb', 'bgr', 'grey'"),
        ("a" * 64, "abc", "not a SHA-256 digest"),
        ("weights/rec.onnx", "../rec.onnx", "not a relative path inside the pack"),
        ("weights/rec.onnx", "/rec.onnx", "not a relative path inside the pack"),
        ("weights/rec.onnx", "C:rec.onnx", "not a relative path inside the pack"),
        ('name = "mine"', 'name = "../mine"', "not a pack name"),
        ('name = "mine"', 'name = ".mine"', "not a pack name"),
        ("[[models]]", "models = []\n[more]", "more: no such key"),
        ("[pack]", "[pack", "not TOML"),
    ],
)
def test_mistakes_are_named_with_the_key_and_the_file(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in EVERYTHING
    path = write(tmp_path / "manifest.toml", EVERYTHING.replace(old, new, 1))
    with pytest.raises(ManifestError, match=message) as caught:
        read_manifest(path)
    assert str(path) in caught.value.message


def test_a_pack_needs_models_and_each_its_own_name(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="at least one model"):
        read_manifest(write(tmp_path / "a.toml", 'models = []\n[pack]\nname = "a"'))
    with pytest.raises(ManifestError, match="names a model twice"):
        read_manifest(write(tmp_path / "a.toml", manifest("a", DETECTOR, DETECTOR)))


PART = """
[[models]]
name = "det-2"
file = "det-2.onnx"
task = "detection"
provider = "scrfd"
part_of = "det"
"""


def test_a_network_may_be_part_of_a_model(tmp_path: Path) -> None:
    """It comes with the model and is none by itself."""
    pack = read_manifest(write(tmp_path / "a.toml", manifest("a", ARCHIVE, PART, DETECTOR)))
    assert [model.name for model in pack.for_task("detection")] == ["det"]
    assert [model.name for model in pack.parts("det")] == ["det-2"]
    assert pack.parts("det-2") == ()


@pytest.mark.parametrize("parts", [(PART,), (PART, EMBEDDER.replace('"rec"', '"det"'))])
def test_a_part_belongs_to_a_model_of_its_task(tmp_path: Path, parts: tuple[str, ...]) -> None:
    with pytest.raises(ManifestError, match="'det-2' is part of 'det'"):
        read_manifest(write(tmp_path / "a.toml", manifest("a", *parts)))


def test_models_without_a_pack_are_read_alike(tmp_path: Path) -> None:
    (model,) = read_models(write(tmp_path / "loose.toml", DETECTOR))
    assert (model.name, model.task) == ("det", "detection")
    with pytest.raises(ManifestError, match="pack"):
        read_models(write(tmp_path / "loose.toml", manifest("a", DETECTOR)))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="no manifest"):
        read_manifest(tmp_path / "nowhere.toml")
    (tmp_path / "latin.toml").write_bytes(b"# \xff")
    for path in (tmp_path / "latin.toml", tmp_path):
        with pytest.raises(ManifestError, match="cannot be read"):
            read_manifest(path)


class TestEmbeddedPacks:
    def test_a_pack_that_cannot_be_downloaded_lies_beside_its_manifest(
        self, tmp_path: Path
    ) -> None:
        path = write(tmp_path / "mine" / "manifest.toml", manifest("mine", DETECTOR))
        assert read_manifest(path).root == path.parent

    def test_a_pack_whose_files_are_all_there_is_not_downloaded(self, tmp_path: Path) -> None:
        text = manifest("mine", ARCHIVE, DETECTOR, EMBEDDER)
        path = write(tmp_path / "manifest.toml", text)
        write(tmp_path / "det.onnx", "")
        assert read_manifest(path).root is None
        write(tmp_path / "rec.onnx", "")
        assert read_manifest(path).root == tmp_path
