"""The command line on real weights and photos."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.entrypoints.cli.runner import Cli

pytestmark = pytest.mark.shared


@pytest.fixture
def real(cli: Cli, shared: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Return the command line with the weights of the shared folder."""
    monkeypatch.setattr(Cli, "_environment", lambda _: {"FACECV_PACK_DIR": str(shared / "models")})
    monkeypatch.setenv("FACECV_GALLERY", str(cli.folder / "gallery.db"))
    return cli


@pytest.fixture
def people(shared: Path) -> Path:
    return shared / "data" / "people"


def test_all_of_a_group_are_found_and_drawn(real: Cli, shared: Path) -> None:
    photo = shared / "data" / "groups" / "bbt3.jpg"
    (answer,) = real.json("detect", photo, "--draw", "out.png")
    assert len(answer["faces"]) == 5
    assert all(len(face["landmarks"]) == 5 for face in answer["faces"])
    with Image.open("out.png") as drawn, Image.open(photo) as plain:
        assert drawn.size == plain.size
        difference = np.abs(np.asarray(drawn, dtype=int) - np.asarray(plain, dtype=int)).max(axis=2)
    for x1, y1, x2, y2 in (face["box"] for face in answer["faces"]):
        edge = difference[round(y1) : round(y2), round(x1) - 2 : round(x1) + 3]
        assert edge.max() > 100, (x1, y1, x2, y2)


def test_same_and_different_persons(real: Cli, people: Path) -> None:
    amy = people / "amy"
    same = real.json("verify", amy / "amy1.png", amy / "amy2.png")
    assert same["match"]
    assert same["far"] == pytest.approx(1e-4)
    strangers = (amy / "amy1.png", people / "howard" / "howard1.png")
    other = real.json("verify", *strangers, "--far", "1e-5", code=1)
    assert other["similarity"] < other["threshold"]
    assert other["threshold"] > same["threshold"]


def test_enrolled_from_three_photos_known_on_two_others(real: Cli, people: Path) -> None:
    album, probes = real.folder / "album", []
    for person in sorted(people.iterdir()):
        photos = sorted(person.iterdir())
        (album / person.name).mkdir(parents=True)
        for photo in photos[:3]:
            shutil.copy(photo, album / person.name)
        probes += photos[3:]
    assert real("enroll", album).exit_code == 0
    answers = real.json("identify", *probes)
    named = [
        (Path(answer["source"]).parent.name, answer["faces"][0]["matches"][0]["name"])
        for answer in answers
    ]
    assert len(named) == 16
    assert all(truth == said for truth, said in named), named


def test_a_bad_photo_leaves_one_person_out(real: Cli, people: Path) -> None:
    for person in ("amy", "raj"):
        shutil.copytree(people / person, real.folder / "album" / person)
    (real.folder / "album" / "amy" / "amy9.png").write_bytes(b"no picture")
    result = real("enroll", "album", "--json")
    assert result.exit_code == 3
    amy, raj = json.loads(result.stdout)
    assert amy["error"]["code"] == "image-decode"
    assert len(raj["photos"]) == 5


def test_a_photo_through_a_pipe_and_a_model_by_its_path(
    real: Cli, shared: Path, people: Path
) -> None:
    photo = (people / "amy" / "amy1.png").read_bytes()
    embedder = shared / "models" / "mobilefacenet_128d.onnx"
    (answer,) = real.json("embed", "-", "--embedder", embedder, text=photo)
    assert len(answer["faces"][0]["embedding"]) == 128
    assert "mobilefacenet_128d" in answer["faces"][0]["space"]


def test_a_collection_keeps_its_model_whatever_the_default_is(
    real: Cli, shared: Path, people: Path
) -> None:
    assert real("enroll", people / "amy", "--name", "amy").exit_code == 0
    embedder = shared / "models" / "mobilefacenet_128d.onnx"
    result = real("identify", people / "amy" / "amy1.png", "--embedder", embedder)
    assert result.exit_code == 0
    assert "amy" in result.stdout


def test_a_device_that_is_not_there_is_said_and_not_replaced(real: Cli, people: Path) -> None:
    found = real.json("doctor")["backend"]["devices"]
    if found["cuda"] == "available":
        pytest.skip("this machine has a GPU")
    result = real("detect", people / "amy" / "amy1.png", "--device", "cuda")
    assert result.exit_code == 4
    assert "cuda" in result.stderr
