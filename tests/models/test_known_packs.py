"""What the manifests that come with FaceCV say."""

import subprocess
import sys

import pytest

from facecv.core.pack import PackManifest, RecognitionSpec
from facecv.models.catalogue import PackCatalogue

INSIGHTFACE = ("antelopev2", "buffalo_l", "buffalo_m", "buffalo_s", "buffalo_sc")
PACKS = (*INSIGHTFACE, "arcface_r100_v1", "auraface", "emotion_ferplus", "fsanet")


@pytest.fixture(scope="module")
def catalogue() -> PackCatalogue:
    """Return the catalogue of what comes with FaceCV."""
    return PackCatalogue()


@pytest.fixture(params=PACKS)
def pack(request: pytest.FixtureRequest, catalogue: PackCatalogue) -> PackManifest:
    """Return each pack in turn."""
    return catalogue.pack(str(request.param))


def test_every_pack_states_its_facts(pack: PackManifest) -> None:
    assert pack.summary
    assert pack.licence
    assert pack.licence_url
    assert pack.homepage
    for model in pack.models:
        assert model.url or pack.archive
        assert len(model.sha256) == 64
        assert model.size > 1_000_000


def test_every_embedder_has_a_threshold_and_says_where_it_is_from(pack: PackManifest) -> None:
    for model in pack.for_task("recognition"):
        assert model.recognition is not None
        assert model.recognition.source
        assert (model.recognition.far is None) == ("not measured" in model.recognition.source)
        assert model.input.size == (112, 112)


@pytest.mark.parametrize("name", INSIGHTFACE)
def test_the_packs_of_insightface_are_release_archives(catalogue: PackCatalogue, name: str) -> None:
    pack = catalogue.pack(name)
    assert pack.archive is not None
    assert pack.archive.url.endswith(f"/releases/download/v0.7/{name}.zip")
    assert len(pack.archive.sha256) == 64
    assert "non-commercial" in pack.licence
    assert pack.for_task("detection")[0].input.std == 128
    assert pack.for_task("recognition")[0].input.std == 127.5


def test_one_file_is_described_alike_in_all_packs(catalogue: PackCatalogue) -> None:
    facts: dict[str, tuple[object, ...]] = {}
    for known in catalogue.models():
        spec = known.spec
        described = (spec.size, spec.task, spec.provider, spec.input, spec.recognition)
        assert facts.setdefault(spec.sha256, described) == described


@pytest.mark.parametrize("name", ["antelopev2", "buffalo_l", "buffalo_m", "buffalo_s"])
def test_dense_landmarks_are_attributes(catalogue: PackCatalogue, name: str) -> None:
    found = {model.name: model for model in catalogue.pack(name).for_task("attributes")}
    assert set(found) == {"genderage", "2d106det", "1k3d68"}
    assert found["2d106det"].provider == "landmarks-106"
    assert found["1k3d68"].provider == "landmarks-68"
    assert found["1k3d68"].input.size == found["2d106det"].input.size == (192, 192)


def test_ferplus_speaks_of_moods_as_nano_does(catalogue: PackCatalogue) -> None:
    emotions = [
        {column for column in model.settings["columns"] if column.startswith("emotion=")}
        for model in (
            catalogue.pack("emotion_ferplus").model("emotion_ferplus"),
            catalogue.pack("nano").model("attributes_nano"),
        )
    ]
    assert emotions[0] - emotions[1] == {"emotion=contempt"}
    assert emotions[1] < emotions[0]


def test_loose_networks_are_attributes_with_digests(catalogue: PackCatalogue) -> None:
    assert catalogue.loose
    for model in catalogue.loose:
        assert model.task == "attributes"
        assert len(model.sha256) == 64
        assert model.licence
        assert catalogue.by_digest(model.sha256) is None


def test_thresholds_fall_with_the_false_accept_rate(catalogue: PackCatalogue) -> None:
    spec = catalogue.pack("buffalo_sc").model("w600k_mbf").recognition or RecognitionSpec()
    points = [(point.far, point.similarity) for point in spec.points]
    assert spec.far is not None
    curve = sorted([*points, (spec.far, spec.threshold)])
    assert [far for far, _ in curve] == [1e-5, 1e-4, 1e-3, 1e-2]
    similarities = [similarity for _, similarity in curve]
    assert similarities == sorted(similarities, reverse=True)


def test_the_embedder_for_commercial_use_has_a_licence_for_it(catalogue: PackCatalogue) -> None:
    pack = catalogue.pack("auraface")
    assert pack.model("glintr100").licence == "Apache-2.0"
    assert "non-commercial" in pack.for_task("detection")[0].licence


def test_importing_the_catalogue_reads_no_manifest() -> None:
    code = (
        "import sys\n"
        "read = []\n"
        "sys.addaudithook(lambda event, args: event == 'open' and read.append(str(args[0])))\n"
        "import facecv.models.catalogue as catalogue\n"
        "catalogue.PackCatalogue()\n"
        "assert not [name for name in read if name.endswith('.toml')], read\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
