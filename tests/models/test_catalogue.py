"""The catalogue of known packs."""

from pathlib import Path

import attrs
import pytest

from facecv.core.errors import ManifestError, ModelError, ModelNotFoundError
from facecv.core.pack import ModelSpec, PackManifest
from facecv.models.catalogue import PackCatalogue, file_digest
from tests.models.example import ARCHIVE, DETECTOR, EMBEDDER, manifest, write


def pack(name: str, *models: tuple[str, str]) -> PackManifest:
    """Return a pack of embedders, given as (name, first letter of the digest)."""
    specs = [
        ModelSpec(
            name=model, file=f"{model}.onnx", task="recognition", provider="a", sha256=digit * 64
        )
        for model, digit in models
    ]
    return PackManifest(name=name, models=tuple(specs))


def catalogue(*packs: PackManifest, built_in: Path = Path("nowhere")) -> PackCatalogue:
    """Return a catalogue of `packs` alone."""
    built_in.mkdir(exist_ok=True)
    return PackCatalogue(registered=packs, built_in=built_in)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class TestSources:
    def test_packs_come_from_files_folders_and_plugins(self, tmp_path: Path) -> None:
        write(tmp_path / "built_in" / "a" / "manifest.toml", manifest("a", ARCHIVE, DETECTOR))
        one = write(tmp_path / "any.toml", manifest("b", ARCHIVE, DETECTOR))
        two = write(tmp_path / "c" / "manifest.toml", manifest("c", ARCHIVE, DETECTOR)).parent
        write(tmp_path / "many" / "d" / "manifest.toml", manifest("d", ARCHIVE, DETECTOR))
        write(tmp_path / "many" / "e" / "manifest.toml", manifest("e", ARCHIVE, DETECTOR))
        known = PackCatalogue(
            (one, two, tmp_path / "many"), (pack("f"),), built_in=tmp_path / "built_in"
        )
        assert list(known.packs) == ["a", "b", "c", "d", "e", "f"]

    def test_nothing_is_read_before_it_is_asked_for(self, tmp_path: Path) -> None:
        known = PackCatalogue((tmp_path / "later.toml",))
        write(tmp_path / "later.toml", manifest("later", ARCHIVE, DETECTOR))
        assert known.pack("later").name == "later"

    def test_two_packs_of_one_name_are_an_error_that_names_both_sources(
        self, tmp_path: Path
    ) -> None:
        mine = write(tmp_path / "mine.toml", manifest("buffalo_l", ARCHIVE, DETECTOR))
        with pytest.raises(ManifestError) as caught:
            _ = PackCatalogue((mine,)).packs
        assert str(mine) in caught.value.message
        assert str(Path("buffalo_l", "manifest.toml")) in caught.value.message

    def test_a_plugin_does_not_shadow_a_pack_either(self) -> None:
        with pytest.raises(ManifestError, match="plugin"):
            _ = PackCatalogue(registered=(pack("buffalo_l"),)).packs

    def test_a_source_that_is_named_twice_is_one(self, tmp_path: Path) -> None:
        mine = write(tmp_path / "mine.toml", manifest("mine", ARCHIVE, DETECTOR))
        assert "mine" in PackCatalogue((mine, mine)).packs

    def test_a_path_that_does_not_exist_is_reported(self, tmp_path: Path) -> None:
        with pytest.raises(ModelNotFoundError, match=r"nowhere\.toml"):
            _ = PackCatalogue((tmp_path / "nowhere.toml",)).packs


class TestLookUps:
    def test_an_unknown_pack_has_near_names(self) -> None:
        with pytest.raises(ModelNotFoundError) as caught:
            PackCatalogue().pack("bufalo_l")
        assert "'buffalo_l'" in caught.value.hint

    def test_an_unknown_model_has_near_names(self) -> None:
        with pytest.raises(ModelNotFoundError) as caught:
            PackCatalogue().model("det_10h")
        assert "'det_10g'" in caught.value.hint

    def test_a_model_is_found_by_its_name_and_by_pack_and_name(self) -> None:
        known = catalogue(pack("one", ("a", "1")), pack("two", ("b", "2")))
        assert str(known.model("b")) == "two/b"
        assert str(known.model("one/a")) == "one/a"
        for name in ("one/b", "three/a"):
            with pytest.raises(ModelNotFoundError):
                known.model(name)

    def test_one_file_in_several_packs_is_taken_from_the_preferred_one(self) -> None:
        known = catalogue(*(pack(name, ("a", "1")) for name in ("one", "two", "three")))
        assert str(known.model("a")) == "one/a"
        assert str(known.model("a", prefer=["three", "two"])) == "three/a"

    def test_different_models_of_one_name_must_be_told_apart(self) -> None:
        known = catalogue(pack("one", ("a", "1")), pack("two", ("a", "2")))
        with pytest.raises(ModelError, match="one/a and two/a"):
            known.model("a")
        assert str(known.model("two/a")) == "two/a"
        assert str(known.model("a", prefer=["two"])) == "two/a"

    def test_a_digest_finds_its_model(self) -> None:
        known = catalogue(pack("one", ("a", "1")), pack("two", ("b", "2")))
        assert str(known.by_digest("2" * 64)) == "two/b"
        assert known.by_digest("3" * 64) is None

    def test_an_unknown_digest_is_no_digest(self) -> None:
        nameless = attrs.evolve(pack("one", ("a", "1")).models[0], sha256="")
        known = catalogue(PackManifest(name="one", models=(nameless,)))
        assert known.by_digest("") is None


class TestBareModels:
    @pytest.fixture
    def onnx(self, tmp_path: Path) -> Path:
        """Return a file that no pack knows."""
        return write(tmp_path / "some.onnx", "weights")

    def test_a_published_file_is_known_whatever_it_is_called(self, onnx: Path) -> None:
        spec = attrs.evolve(pack("one", ("a", "1")).models[0], provider="theirs")
        known = attrs.evolve(
            catalogue(PackManifest(name="one", models=(spec,))), digest=lambda _: "1" * 64
        )
        found = known.bare_model(onnx, "recognition")
        assert (found.path, found.sha256, found.spec, found.pack) == (onnx, "1" * 64, spec, "")
        assert known.bare_model(onnx, "recognition", provider="mine").spec.provider == "mine"
        with pytest.raises(ModelError, match="a model for recognition, not for detection"):
            known.bare_model(onnx, "detection")

    def test_an_unknown_file_has_the_defaults_of_its_family(self, onnx: Path) -> None:
        detector = catalogue().bare_model(onnx, "detection").spec
        assert (detector.provider, detector.input.mean, detector.input.std) == ("scrfd", 127.5, 128)
        embedder = catalogue().bare_model(onnx, "recognition").spec
        assert (embedder.name, embedder.provider) == ("some", "arcface")
        assert (embedder.input.mean, embedder.input.std) == (127.5, 127.5)
        assert embedder.recognition is not None
        assert embedder.recognition.preprocessing == "arcface-112-rgb"
        assert "not measured" in embedder.recognition.source

    def test_a_file_beside_it_says_what_it_is(self, onnx: Path) -> None:
        text = 'name = "mine"\nprovider = "own"\n[input]\ncolor = "bgr"\n[recognition]\ndim = 128\n'
        write(onnx.with_suffix(".toml"), text + "[settings]\nflip = true\n")
        spec = catalogue().bare_model(onnx, "recognition").spec
        assert (spec.name, spec.provider, spec.input.color) == ("mine", "own", "bgr")
        assert spec.recognition is not None
        assert spec.recognition.dim == 128
        assert spec.settings == {"flip": True}

    def test_mistakes_in_it_are_named(self, onnx: Path) -> None:
        write(onnx.with_suffix(".toml"), 'provder = "own"')
        with pytest.raises(ManifestError, match=r"some\.toml: provder"):
            catalogue().bare_model(onnx, "recognition")

    def test_an_attribute_model_must_say_what_runs_it(self, onnx: Path) -> None:
        with pytest.raises(ModelError, match="nothing says what runs"):
            catalogue().bare_model(onnx, "attributes")
        spec = catalogue().bare_model(onnx, "attributes", provider="mood").spec
        assert (spec.provider, spec.input.mean, spec.input.std) == ("mood", 0, 1)

    def test_places_without_a_file(self, tmp_path: Path) -> None:
        with pytest.raises(ModelNotFoundError):
            catalogue().bare_model(tmp_path / "none.onnx", "detection")
        with pytest.raises(ModelError, match="is a folder"):
            catalogue().bare_model(tmp_path, "detection")


def test_a_manifest_of_a_folder_is_used_as_it_is(tmp_path: Path) -> None:
    write(tmp_path / "here" / "manifest.toml", manifest("here", ARCHIVE, DETECTOR, EMBEDDER))
    found = catalogue().local_pack(tmp_path / "here")
    assert (found.name, found.root) == ("here", tmp_path / "here")


def test_a_file_that_cannot_be_read_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        file_digest(tmp_path)
