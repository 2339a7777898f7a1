"""`FaceAnalysis` on small networks that see a face in every red cell."""

from pathlib import Path

import numpy as np
import pytest
import structlog

from facecv.core.arrays import Pixels
from facecv.core.errors import (
    ConfigurationError,
    DeviceUnavailableError,
    InputError,
    ModelNotFoundError,
)
from facecv.entrypoints.compat.insightface import FaceAnalysis
from tests.graphs import red_cells
from tests.toy_pack import make_toy_pack

CPU = ["CPUExecutionProvider"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder as the insightface package keeps it, with the pack ``toy``."""
    folder = tmp_path_factory.mktemp("insightface")
    make_toy_pack(folder / "models" / "toy")
    return folder


@pytest.fixture
def app(root: Path) -> FaceAnalysis:
    made = FaceAnalysis("toy", root=root, providers=CPU)
    made.prepare(ctx_id=-1, det_size=(640, 640))
    return made


@pytest.fixture
def picture() -> Pixels:
    """A picture of its own size in the network: a face in the middle, one in a corner."""
    return red_cells(640, 640, [(20, 20), (2, 2)])


def test_faces_come_with_all_that_the_pack_can_say(app: FaceAnalysis, picture: Pixels) -> None:
    faces = app.get(picture)
    assert len(faces) == 2
    for face in faces:
        assert face.embedding.shape == (512,)
        assert (face["embedding"] / face.embedding_norm) @ face.normed_embedding == pytest.approx(1)
        assert face.sex in {"M", "F"}
        assert isinstance(face.age, int)


def test_models_have_their_tasks_and_methods(app: FaceAnalysis, picture: Pixels) -> None:
    assert [model.taskname for model in app.models.values()] == list(app.models)
    boxes, points = app.models["detection"].detect(picture)
    assert boxes.shape == (2, 5)
    assert points is not None
    assert points.shape == (2, 5, 2)
    face = app.get(picture)[0]
    before, age = face.embedding, (face.gender, face.age)
    assert app.models["recognition"].get(picture, face) == pytest.approx(before)
    assert app.models["genderage"].get(picture, face) == age


def test_recognition_embeds_crops_and_compares(app: FaceAnalysis) -> None:
    model = app.models["recognition"]
    crops = np.random.default_rng(1).integers(0, 256, (2, 112, 112, 3), dtype=np.uint8)
    one = model.get_feat(crops[0])
    both = model.get_feat(list(crops))
    assert one.shape == (1, 512)
    assert both[0] == pytest.approx(one[0], abs=1e-3)
    assert model.compute_sim(both[0], 2 * both[0]) == pytest.approx(1)


def test_no_face_is_an_empty_list(app: FaceAnalysis) -> None:
    empty = red_cells(320, 320, [])
    assert app.get(empty) == []
    assert app.det_model.detect(empty)[0].shape == (0, 5)


@pytest.mark.parametrize("metric", ["default", "max"])
def test_the_foremost_faces_are_chosen(app: FaceAnalysis, picture: Pixels, metric: str) -> None:
    """By default a face in the middle wins over one as large in a corner."""
    faces = app.get(picture, max_num=1, det_metric=metric)  # type: ignore[arg-type]
    assert len(faces) == 1
    if metric == "default":
        assert faces[0].bbox.mean() == pytest.approx(20.5 * 16)


def test_a_face_seen_at_two_sizes_comes_once(app: FaceAnalysis) -> None:
    picture = red_cells(1280, 1280, [(column, row) for row in (8, 9) for column in (8, 9)])
    alone = len(app.get(picture))
    app.prepare(ctx_id=-1, det_size=[(640, 640), (1280, 1280)])
    boxes = [face.bbox.tolist() for face in app.get(picture)]
    assert alone == 1
    assert len(boxes) == len({tuple(box) for box in boxes}) == 5  # one large, four small in it


def test_a_size_that_is_not_square_scales_as_a_canvas_of_it(app: FaceAnalysis) -> None:
    """640 x 320 in a canvas of 320 x 320 is halved, in one of 640 x 320 it is not."""
    picture = red_cells(640, 320, [(10, 10)])
    app.prepare(ctx_id=-1, det_size=(640, 320))
    assert [face.bbox.tolist() for face in app.get(picture)] == [[152, 152, 184, 184]]
    app.prepare(ctx_id=-1, det_size=(320, 320))
    assert app.get(picture) == []


def test_only_allowed_modules_are_used(root: Path, picture: Pixels) -> None:
    app = FaceAnalysis("toy", root=root, allowed_modules=["detection", "genderage"], providers=CPU)
    app.prepare(ctx_id=-1, det_size=(640, 640))
    face = app.get(picture)[0]
    assert set(app.models) == {"detection", "genderage"}
    assert face.embedding is None
    assert face.age is not None


def test_a_model_that_is_taken_out_is_not_used(app: FaceAnalysis, picture: Pixels) -> None:
    del app.models["genderage"]
    face = app.get(picture)[0]
    assert face.age is None
    assert face.embedding is not None


def test_detection_cannot_be_left_out(root: Path) -> None:
    with pytest.raises(ConfigurationError, match="detection"):
        FaceAnalysis("toy", root=root, allowed_modules=["recognition"])


def test_a_pack_may_be_named_by_its_folder(root: Path) -> None:
    assert "recognition" in FaceAnalysis(root / "models" / "toy", providers=CPU).models


def test_an_unknown_pack_is_an_error(root: Path) -> None:
    with pytest.raises(ModelNotFoundError):
        FaceAnalysis("no_such_pack", root=root)


def test_a_missing_file_is_an_error_at_once(tmp_path: Path) -> None:
    folder = make_toy_pack(tmp_path / "models" / "toy")
    (folder / "arcface.onnx").unlink()
    with pytest.raises(ModelNotFoundError):
        FaceAnalysis("toy", root=tmp_path, providers=CPU)
    app = FaceAnalysis("toy", root=tmp_path, providers=CPU, allowed_modules=["detection"])
    assert set(app.models) == {"detection"}


def test_a_gpu_that_was_demanded_is_not_replaced(root: Path) -> None:
    app = FaceAnalysis("toy", root=root, providers=["CUDAExecutionProvider"])
    with pytest.raises(DeviceUnavailableError):
        app.prepare(ctx_id=0)


def test_a_negative_context_means_the_cpu(root: Path, picture: Pixels) -> None:
    app = FaceAnalysis("toy", root=root, providers=["CUDAExecutionProvider"])
    app.prepare(ctx_id=-1, det_size=(640, 640))
    assert len(app.get(picture)) == 2


def test_add_ons_are_refused_and_unused_arguments_logged(root: Path) -> None:
    with pytest.raises(ConfigurationError, match="liveness"):
        FaceAnalysis("toy", root=root, addons=["liveness"])
    with structlog.testing.capture_logs() as logs:
        FaceAnalysis("toy", root=root, providers=CPU, download=False, allowed_modules=None)
    assert [entry["arguments"] for entry in logs] == [["download"]]


def test_what_is_not_a_picture_is_refused(app: FaceAnalysis) -> None:
    with pytest.raises(InputError):
        app.get(None)  # type: ignore[arg-type] # what cv2.imread gives for a missing file


def test_drawing_leaves_the_picture_alone(app: FaceAnalysis, picture: Pixels) -> None:
    before = picture.copy()
    drawn = app.draw_on(picture, app.get(picture))
    assert (picture == before).all()
    assert (drawn != before).any()
