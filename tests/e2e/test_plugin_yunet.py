"""A detector from another distribution, used by name alone, on real photos."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import facecv

pytest.importorskip("facecv_yunet", reason="tests/plugin_example is not installed")


@pytest.fixture(scope="module")
def engine(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[facecv.Engine]:
    """Yield an engine whose configuration differs from the default by one line."""
    config = tmp_path_factory.mktemp("yunet") / "facecv.toml"
    config.write_text('detector = "yunet"\n', encoding="utf-8")
    with facecv.Engine.open(config, pack_dir=shared / "models", gallery="memory") as engine:
        yield engine


@pytest.mark.shared
class TestYuNet:
    @pytest.mark.parametrize(("photo", "count"), [("bbt1.jpg", 4), ("bbt3.jpg", 5)])
    def test_all_of_a_group_are_found(
        self, engine: facecv.Engine, shared: Path, photo: str, count: int
    ) -> None:
        faces = engine.detect(shared / "data" / "groups" / photo)
        assert len(faces) == count
        assert all(face.landmarks is not None and face.quality is not None for face in faces)

    def test_its_landmarks_serve_recognition(self, engine: facecv.Engine, shared: Path) -> None:
        """Whoever is enrolled with YuNet's landmarks is known again."""
        people = shared / "data" / "people"
        assert engine.verify(people / "amy" / "amy1.png", people / "amy" / "amy2.png").match
        assert not engine.verify(
            people / "amy" / "amy1.png", people / "howard" / "howard1.png"
        ).match

    def test_the_built_in_detector_agrees(self, engine: facecv.Engine, shared: Path) -> None:
        photo = shared / "data" / "groups" / "bbt1.jpg"
        with facecv.Engine.open({}, pack_dir=shared / "models", detector="det_500m") as other:
            others = other.detect(photo)
        for face in engine.detect(photo):
            assert max(face.box.iou(each.box) for each in others) > 0.6
