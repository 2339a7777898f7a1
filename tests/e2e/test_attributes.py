"""Attribute models on real weights and photos."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import facecv
from facecv.core.arrays import Pixels
from facecv.core.attributes import HeadPose
from facecv.core.errors import LivenessError
from facecv.core.labelled import data_sets
from facecv.core.services.analyse import Want
from facecv.core.services.evaluate_attributes import AttributeEvaluator
from facecv.core.services.find import FindOptions

pytestmark = pytest.mark.shared

PEOPLE = ("amy/amy1.png", "amy/amy4.png", "howard/howard5.png", "leonard/leonard3.png")


def opened(shared: Path, **settings: object) -> facecv.Engine:
    """Return an engine over the shared weights."""
    return facecv.Engine.open(
        {},
        pack_dir=str(shared / "models"),
        device="cpu",
        gallery="memory",
        model_stores={"local": {"offline": True}},
        **settings,
    )


@pytest.fixture
def engine(shared: Path) -> Iterator[facecv.Engine]:
    """Return an engine with every attribute model that lies there."""
    with opened(shared) as engine:
        yield engine


def pose(engine: facecv.Engine, picture: Pixels) -> HeadPose:
    """Return the pose of the only face of a picture."""
    want = Want(quality=False, embedding=False, attributes=frozenset({"pose"}))
    (face,) = engine.analyze(picture, want, FindOptions(max_faces=1))
    value = face.attributes["pose"].value
    assert isinstance(value, HeadPose)
    return value


def test_only_what_is_asked_for_is_loaded(engine: facecv.Engine, shared: Path) -> None:
    """The folder holds five attribute models."""
    slots = engine.analyser.attribute_models.slots
    assert len(slots) > 5
    pose(engine, engine.read(shared / "data/people/amy/amy1.png").pixels)
    assert [slot.blueprint.name for slot in slots if slot.loaded] == ["fsanet"]


@pytest.mark.parametrize("model", ["fsanet", "landmark-pose"])
def test_a_mirrored_face_looks_the_other_way(shared: Path, model: str) -> None:
    """Yaw and roll change sides, the pitch stays; amy1 looks to the left, amy4 to the right."""
    with opened(shared, attributes=[model]) as engine:
        for name in PEOPLE:
            picture = engine.read(shared / "data/people" / name).pixels
            seen = pose(engine, picture)
            mirrored = pose(engine, np.ascontiguousarray(picture[:, ::-1]))
            assert mirrored.yaw == pytest.approx(-seen.yaw, abs=6)
            assert mirrored.roll == pytest.approx(-seen.roll, abs=6)
            assert mirrored.pitch == pytest.approx(seen.pitch, abs=6)
        left, right = (
            pose(engine, engine.read(shared / f"data/people/amy/{name}.png").pixels)
            for name in ("amy1", "amy4")
        )
        assert left.yaw < -12 < 3 < right.yaw
        assert right.roll < -8


def test_landmarks_agree_with_the_network_about_the_pose(shared: Path) -> None:
    """On forty photos of eight people."""
    with opened(shared) as engine, opened(shared, attributes=["landmark-pose"]) as cheap:
        photos = sorted((shared / "data/people").rglob("*.png"))[::3]
        pictures = [engine.read(photo).pixels for photo in photos]
        pairs = [(pose(engine, picture), pose(cheap, picture)) for picture in pictures]
    assert np.mean([abs(one.yaw - other.yaw) for one, other in pairs]) < 7
    assert np.mean([abs(one.roll - other.roll) for one, other in pairs]) < 4
    assert np.mean([abs(one.pitch - other.pitch) for one, other in pairs]) < 9


def test_a_turned_head_is_of_less_use(engine: facecv.Engine, shared: Path) -> None:
    """Once its pose is known."""
    photo = shared / "data/people/amy/amy1.png"
    (before,) = engine.analyze(photo, Want(embedding=False))
    (after,) = engine.analyze(photo, Want(embedding=False, attributes=frozenset({"pose"})))
    assert before.quality
    assert after.quality
    assert after.quality.pose < before.quality.pose


@pytest.mark.parametrize(
    ("data", "attribute", "model", "least"),
    [
        ("utkface", "gender", "genderage_v1", 0.75),
        ("fer2013", "emotion", "emotion_48", 0.35),
        ("mask", "mask", "seeta_mask", 0.85),
        ("mask", "mask", "mask-colors", 0.8),
        ("spoof", "liveness", "minifasnet", 1.0),
    ],
)
def test_classes_are_mostly_right(
    shared: Path, data: str, attribute: str, model: str, least: float
) -> None:
    """A wrong colour, crop or order of classes would show at once."""
    (found,) = (each for each in data_sets(shared / "data") if each.name == data)
    with opened(shared, attributes=[model], detection={"score_threshold": 0.3}) as engine:
        evaluator = AttributeEvaluator(engine.analyser, engine.analyser.find)
        scores = evaluator.evaluate(found.held_out().thinned(40))
    (score,) = (each for each in scores if each.attribute == attribute)
    assert score.judged > 0.9 * score.pictures
    assert score.accuracy is not None
    assert score.accuracy >= least


def test_the_gate_keeps_photos_of_photos_out(shared: Path) -> None:
    """F1 and F2 are photos of a screen and of a print, T1 is of a person."""
    spoof = shared / "data" / "spoof"
    with opened(shared, liveness={"enrolment": "enforce"}, quality="off") as engine:
        people = engine.gallery("people")
        done = people.enroll("Ada", spoof / "image_T1.jpg")
        assert done.photos[0].status == "enrolled"
        for name in ("image_F1.jpg", "image_F2.jpg"):
            with pytest.raises(LivenessError):
                people.enroll("Eve", spoof / name)
