"""Which faces the compatible detector gives, in a world of red squares."""

import pytest

from facecv.entrypoints.compat.insightface.models import DetectionModel, Metric
from tests.core.services import world

LARGE, MIDDLE, SMALL = (0, 0, 120, 5), (160, 110, 80, 5), (350, 250, 40, 5)


@pytest.fixture
def model() -> DetectionModel:
    return DetectionModel(world.analyser())


def boxes(model: DetectionModel, max_num: int, metric: Metric = "default") -> list[list[float]]:
    found, points = model.detect(world.picture(SMALL, LARGE, MIDDLE), None, max_num, metric)
    assert points is not None
    assert len(points) == len(found)
    return [row[:2] for row in found.tolist()]


def test_all_faces_come_once_by_falling_score(model: DetectionModel) -> None:
    """Each is seen at both sizes; the surest was drawn first."""
    found, _ = model.detect(world.picture(SMALL, LARGE, MIDDLE))
    assert found[:, 4].tolist() == sorted(found[:, 4].tolist(), reverse=True)
    assert boxes(model, 0) == boxes(model, 3) == [[350, 250], [0, 0], [160, 110]]


def test_the_largest_faces_are_chosen_by_metric_max(model: DetectionModel) -> None:
    assert boxes(model, 1, "max") == [[0, 0]]
    assert boxes(model, 2, "max") == [[0, 0], [160, 110]]


def test_the_middle_counts_by_default(model: DetectionModel) -> None:
    assert boxes(model, 1) == [[160, 110]]
    assert boxes(model, 2) == [[160, 110], [0, 0]]


def test_a_size_of_one_call_leaves_the_model_as_it_is(model: DetectionModel) -> None:
    model.detect(world.picture(SMALL), (320, 320), det_thresh=0.9)
    assert (model.sizes, model.det_thresh) == (((128, 128), (640, 640)), 0.5)
