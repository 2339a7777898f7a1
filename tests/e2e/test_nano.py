"""The whole job on the embedded pack, with real photos that ship inside installed packages."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import facecv
from facecv.core.arrays import Pixels
from facecv.core.face import Face
from facecv.core.ports.detector import DetectorOptions
from facecv.core.services.find import FindOptions
from facecv.entrypoints.cli.app import build_cli

pytest.importorskip("skimage", reason="its photos are needed: install the extra 'demo'")
pytest.importorskip("matplotlib", reason="its photo is needed: install the extra 'demo'")

from facecv.entrypoints.cli.demo_photos import photos

SURE = FindOptions(DetectorOptions(score_threshold=0.6))


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make sure that nothing was pulled and nothing is configured."""
    for variable in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def engine() -> Iterator[facecv.Engine]:
    """Return an engine of the defaults, offline, with a gallery in memory."""
    store = {"local": {"offline": True}}
    with facecv.Engine.open(gallery="memory", model_stores=store, device="cpu") as engine:
        yield engine


@pytest.fixture(scope="module")
def pictures() -> dict[str, Pixels]:
    """Return the photos of the demo by title."""
    return {photo.title: photo.pixels for photo in photos()}


@pytest.fixture(scope="module")
def group() -> Path:
    """Return the group photo that the insightface package ships."""
    package = pytest.importorskip("insightface", reason="its group photo is needed")
    return Path(package.__file__).parent / "data" / "images" / "t1.jpg"


def run(*arguments: str) -> object:
    """Run the command line; return its exit code."""
    with pytest.raises(SystemExit) as done:
        build_cli().main(list(arguments), prog_name="facecv")
    return done.value.code or 0


def only(faces: list[Face]) -> Face:
    (face,) = faces
    return face


def test_it_is_the_default(engine: facecv.Engine) -> None:
    assert engine.parts.pack.name == "nano"
    assert "Research and evaluation only" in engine.parts.pack.licence


def test_a_face_is_where_it_is(engine: facecv.Engine, pictures: dict[str, Pixels]) -> None:
    face = only(engine.detect(pictures["astronaut"]))
    assert face.box.center == pytest.approx((223, 115), abs=12)
    assert face.landmarks is not None
    eyes = face.landmarks[:2]
    assert eyes == pytest.approx(np.array([[206, 107], [244, 106]]), abs=6)


def test_everybody_in_a_group_is_found(engine: facecv.Engine, group: Path) -> None:
    assert len(engine.detect(group, SURE)) == 6


def test_a_picture_without_faces_is_empty(engine: facecv.Engine) -> None:
    from skimage import data

    for name in ("coffee", "brick", "grass", "gravel", "chelsea"):
        picture = np.asarray(getattr(data, name)())
        assert engine.analyze(picture) == [], name


def test_one_person_and_two(engine: facecv.Engine, pictures: dict[str, Pixels]) -> None:
    collins, hopper = pictures["astronaut"], pictures["admiral"]
    smaller = np.ascontiguousarray(collins[::2, ::-2] // 2)
    assert engine.verify(collins, smaller).match
    assert not engine.verify(collins, hopper).match


def test_people_in_one_group_are_all_different(engine: facecv.Engine, group: Path) -> None:
    embeddings = [face.embedding for face in engine.analyze(group, find=SURE)]
    threshold = engine.analyser.embedder.recognition.threshold
    similarities = [
        one.cosine(other)
        for number, one in enumerate(embeddings)
        for other in embeddings[:number]
        if one and other
    ]
    assert len(similarities) == 15
    assert max(similarities) < threshold


def test_known_people_are_named_and_strangers_are_not(
    engine: facecv.Engine, pictures: dict[str, Pixels], group: Path
) -> None:
    staff = engine.gallery("staff")
    staff.enroll("Eileen Collins", pictures["astronaut"])
    staff.enroll("Grace Hopper", pictures["admiral"])
    answers = staff.identify(np.ascontiguousarray(pictures["admiral"][:, ::-1]))
    found = max(answers, key=lambda answer: answer.face.box.area)
    assert found.identification.person is not None
    assert found.identification.person.name == "Grace Hopper"
    assert {found.identification.status for found in staff.identify(group)} == {"unknown"}


def test_attributes(engine: facecv.Engine, pictures: dict[str, Pixels]) -> None:
    said = only(engine.analyze(pictures["astronaut"])).attributes
    assert set(said) == {"age", "gender", "emotion", "mask", "pose"}
    assert said["mask"].model == "attributes_nano"
    assert said["pose"].model == "landmark-pose"
    assert said["gender"].value == "female"
    assert said["emotion"].value == "happy"
    assert said["mask"].value == "no_mask"
    assert isinstance(said["age"].value, float)
    assert 20 < said["age"].value < 60


def test_the_command_line_needs_no_option(
    pictures: dict[str, Pixels], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    Image.fromarray(pictures["astronaut"][..., ::-1]).save(tmp_path / "astronaut.png")
    assert run("detect", "astronaut.png", "--json") == 0
    (picture,) = json.loads(capsys.readouterr().out)
    assert len(picture["faces"]) == 1


def test_the_demo_needs_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("demo") == 0
    assert "19 of 19 right" in capsys.readouterr().out
