"""SCRFD, on small networks of every published signature, and on real weights."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import attrs
import numpy as np
import pytest
from numpy.typing import NDArray

from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from facecv.adapters.detectors.scrfd import Scrfd
from facecv.core.arrays import Pixels
from facecv.core.errors import InferenceError, ModelSignatureError
from facecv.core.face import Detection
from facecv.core.pack import ModelFile
from facecv.core.ports.detector import DetectorOptions
from facecv.core.ports.inference_backend import SessionOptions
from facecv.plugins.contracts.detector import DetectorContract
from tests import graphs
from tests.fakes.inference_backend import FakeSession
from tests.real_models import RealModels

CPU = SessionOptions(device="cpu", threads=1)
SINGLE = DetectorOptions(passes="single")


def load(model: ModelFile) -> Scrfd:
    return Scrfd(OnnxRuntimeBackend().load(model, CPU), model.spec.input)


def recorded(model: ModelFile) -> tuple[Scrfd, FakeSession]:
    """Return a detector, and a session that keeps the shapes it was given."""
    real = OnnxRuntimeBackend().load(model, CPU)
    session = FakeSession(real.run, real.inputs, real.outputs)
    detector = Scrfd(session, model.spec.input)
    session.runs.clear()  # the run that told the layout
    return detector, session


def assert_same(found: list[Detection], expected: list[Detection]) -> None:
    assert len(found) == len(expected)
    by_place = sorted(found, key=lambda face: face.box.as_tuple())
    for face, wanted in zip(by_place, expected, strict=True):
        np.testing.assert_allclose(face.box.as_tuple(), wanted.box.as_tuple(), atol=0.05)
        assert face.score == pytest.approx(wanted.score, abs=0.002)
        assert (face.landmarks is None) == (wanted.landmarks is None)
        if face.landmarks is not None and wanted.landmarks is not None:
            np.testing.assert_allclose(face.landmarks, wanted.landmarks, atol=0.05)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("landmarks", [False, True])
@pytest.mark.parametrize(
    ("levels", "anchors", "size", "batch", "rank"),
    [
        (3, 2, ("h", "w"), 1, 2),
        (3, 2, ("h", "w"), 1, 3),
        (3, 2, ("h", "w"), "n", 3),
        (3, 1, ("h", "w"), 1, 2),
        (3, 2, (640, 640), 1, 3),
        (3, 2, (320, 640), 1, 2),
        (5, 1, ("h", "w"), 1, 2),
        (5, 1, ("h", "w"), "n", 3),
    ],
)
class TestSignatures:
    def test_finds_faces_where_they_are(
        self,
        tmp_path: Path,
        *,
        shuffle: bool,
        landmarks: bool,
        levels: int,
        anchors: int,
        size: tuple[graphs.Axis, graphs.Axis],
        batch: graphs.Axis,
        rank: int,
    ) -> None:
        """Boxes, scores and landmarks are right whatever the export looks like."""
        model = graphs.scrfd(
            tmp_path,
            landmarks=landmarks,
            levels=levels,
            anchors=anchors,
            size=size,
            batch=batch,
            rank=rank,
            shuffle=shuffle,
        )
        cells = [(3, 4), (20, 10)]
        picture = graphs.red_cells(640, 320, cells)
        faces = load(model).detect([picture, picture], DetectorOptions())
        for found in faces:
            assert_same(found, [graphs.face_at(*cell, landmarks=landmarks) for cell in cells])


class TestScrfdContract(DetectorContract):
    @pytest.fixture
    def detector(self, tmp_path: Path) -> Scrfd:
        return load(graphs.scrfd(tmp_path))

    @pytest.fixture
    def picture(self) -> Pixels:
        return graphs.red_cells(640, 480, [(4, 5), (30, 20)])


class TestBatchedScrfdContract(TestScrfdContract):
    @pytest.fixture
    def detector(self, tmp_path: Path) -> Scrfd:
        return load(graphs.scrfd(tmp_path, batch="n", rank=3))


@pytest.mark.parametrize("name", ["det_500m", "det_2.5g", "scrfd_500m_bnkps"])
class TestRealScrfdContract(DetectorContract):
    @pytest.fixture
    def detector(self, shared: Path, name: str) -> Scrfd:
        return RealModels(shared).detector(name)

    @pytest.fixture
    def picture(self, shared: Path) -> Pixels:
        return RealModels(shared).photos("groups/*.jpg")[0]


class TestShapesOfInputs:
    def test_a_free_input_gets_the_smallest_rectangle(self, tmp_path: Path) -> None:
        """640 x 360 needs no square; the second pass is tighter still."""
        detector, session = recorded(graphs.scrfd(tmp_path))
        detector.detect([graphs.red_cells(1280, 720, [])], DetectorOptions())
        assert [run["input.1"] for run in session.runs] == [(1, 3, 384, 640), (1, 3, 96, 192)]

    def test_a_square_where_it_is_asked_for(self, tmp_path: Path) -> None:
        """As the insightface package pads."""
        detector, session = recorded(graphs.scrfd(tmp_path))
        options = attrs.evolve(SINGLE, padding="square", input_size=320)
        detector.detect([graphs.red_cells(1280, 720, [])], options)
        assert [run["input.1"] for run in session.runs] == [(1, 3, 320, 320)]

    def test_five_strides_need_multiples_of_128(self, tmp_path: Path) -> None:
        """Otherwise the coarsest map would be cut."""
        detector, session = recorded(graphs.scrfd(tmp_path, levels=5, anchors=1))
        detector.detect([graphs.red_cells(640, 480, [])], SINGLE)
        assert [run["input.1"] for run in session.runs] == [(1, 3, 512, 640)]

    def test_a_fixed_input_looks_again_only_at_a_picture_without_faces(
        self, tmp_path: Path
    ) -> None:
        """There, a second look costs as much as the first."""
        detector, session = recorded(graphs.scrfd(tmp_path, size=(640, 640)))
        detector.detect([graphs.red_cells(640, 640, [(2, 2)])], DetectorOptions())
        assert len(session.runs) == 1
        detector.detect([graphs.red_cells(640, 640, [])], DetectorOptions())
        assert len(session.runs) == 3

    @pytest.mark.parametrize(
        ("side", "trace", "runs"),
        [
            (64, 0.1, 2),
            (64, 0.02, 1),  # nothing large is there
            (32, 0.1, 1),  # a face of 32 pixels leaves no room
        ],
    )
    def test_a_second_look_where_a_large_face_may_be_beside_a_sure_one(
        self, tmp_path: Path, side: int, trace: float, runs: int
    ) -> None:
        """That is: there is room for it, and the anchors for large faces saw a trace of one."""
        _, session = recorded(graphs.scrfd(tmp_path))
        detector = Scrfd(_with_trace(session, trace), enlarge=False)
        session.runs.clear()
        found = detector.detect([graphs.red_cells(side, side, [(1, 1)])], DetectorOptions())
        assert len(session.runs) == runs
        assert len(found[0]) == 1

    def test_a_second_look_at_a_picture_without_a_sure_face(self, tmp_path: Path) -> None:
        """Whatever the first look saw a trace of."""
        _, session = recorded(graphs.scrfd(tmp_path))
        detector = Scrfd(_with_trace(session, 0.02))
        session.runs.clear()
        detector.detect([graphs.red_cells(640, 480, [])], DetectorOptions())
        assert len(session.runs) == 2

    def test_pictures_of_one_shape_share_a_run(self, tmp_path: Path) -> None:
        """If the network takes several; others go on their own, and order is kept."""
        detector, session = recorded(graphs.scrfd(tmp_path, batch="n", rank=3))
        wide, tall = graphs.red_cells(640, 320, [(3, 4)]), graphs.red_cells(320, 640, [(5, 6)])
        faces = detector.detect([wide, tall, wide], SINGLE)
        assert [run["input.1"][0] for run in session.runs] == [2, 1]
        for found, cell in zip(faces, [(3, 4), (5, 6), (3, 4)], strict=True):
            assert_same(found, [graphs.face_at(*cell)])

    def test_a_picture_is_scaled_there_and_back(self, tmp_path: Path) -> None:
        """A face in a picture twice the input size is found at twice the coordinates."""
        picture = graphs.red_cells(640, 320, [(3, 4)]).repeat(2, axis=0).repeat(2, axis=1)
        (found,) = load(graphs.scrfd(tmp_path)).detect([picture], SINGLE)
        box = graphs.face_at(3, 4).box
        np.testing.assert_allclose(
            found[0].box.as_tuple(), [2 * side for side in box.as_tuple()], atol=0.1
        )

    @pytest.mark.parametrize("more", [0, 3])
    def test_a_large_picture_is_found_in_its_own_pixels(self, tmp_path: Path, more: int) -> None:
        """Also where its sides are no multiples of what it is made smaller by."""
        cells = [(3, 4), (20, 10)]
        picture = graphs.red_cells(640, 320, cells).repeat(4, axis=0).repeat(4, axis=1)
        picture = np.pad(picture, ((0, more), (0, more), (0, 0)), constant_values=128)
        (found,) = load(graphs.scrfd(tmp_path)).detect([picture], SINGLE)
        boxes = [[4 * side for side in graphs.face_at(*cell).box.as_tuple()] for cell in cells]
        by_place = sorted(face.box.as_tuple() for face in found)
        np.testing.assert_allclose(by_place, boxes, atol=0.1)

    @pytest.mark.parametrize(("padding", "seen"), [("rectangle", True), ("square", False)])
    def test_a_large_picture_is_averaged(
        self, tmp_path: Path, padding: Literal["rectangle", "square"], *, seen: bool
    ) -> None:
        """Few pixels do not decide, unless it is sampled as the insightface package does."""
        picture = graphs.red_cells(640, 320, [(3, 4)]).repeat(4, axis=0).repeat(4, axis=1)
        for row, column in itertools.product((1, 2), repeat=2):  # all that a bilinear resize takes
            picture[row::4, column::4] = 128
        options = attrs.evolve(SINGLE, score_threshold=0.3, padding=padding)
        (found,) = load(graphs.scrfd(tmp_path)).detect([picture], options)
        assert bool(found) == seen

    @pytest.mark.parametrize(
        ("cell", "factor", "passes", "again"),
        [
            ((5, 18), 2, "auto", True),
            ((5, 9), 2, "auto", False),  # far from the edge
            ((38, 5), 2, "auto", False),  # beside an edge that never has a border
            ((5, 18), 1, "auto", False),  # not shrunk
            ((5, 18), 2, "single", False),
        ],
    )
    def test_a_face_beside_the_edge_is_seen_with_the_border(
        self,
        tmp_path: Path,
        cell: tuple[int, int],
        factor: int,
        passes: Literal["auto", "single"],
        *,
        again: bool,
    ) -> None:
        """Where one pixel of the input is much of the picture; the second pass comes after it."""
        detector, session = recorded(graphs.scrfd(tmp_path))
        picture = graphs.red_cells(640, 320, [cell]).repeat(factor, 0).repeat(factor, 1)
        (found,) = detector.detect([picture], DetectorOptions(passes=passes))
        shapes = [run["input.1"][2:] for run in session.runs]
        assert shapes[:1] == [(320, 640)]
        assert ((640, 640) in shapes) == again
        box = graphs.face_at(*cell).box
        np.testing.assert_allclose(
            found[0].box.as_tuple(), np.multiply(box.as_tuple(), factor), atol=0.1
        )

    @pytest.mark.parametrize("size", [(1, 1), (2000, 1), (3, 900)])
    def test_pictures_of_odd_shapes(self, tmp_path: Path, size: tuple[int, int]) -> None:
        """Hardly a picture, but no error."""
        picture = np.full((size[1], size[0], 3), 128, np.uint8)
        assert load(graphs.scrfd(tmp_path)).detect([picture], DetectorOptions()) == [[]]


class TestRefusals:
    def test_a_blue_cell_is_no_face(self, tmp_path: Path) -> None:
        """Channels reach the network in its own order."""
        picture = graphs.red_cells(640, 320, [(3, 4)])[..., ::-1]
        assert load(graphs.scrfd(tmp_path)).detect([picture], SINGLE) == [[]]

    def test_networks_of_other_families(self, tmp_path: Path) -> None:
        """They are refused with what was expected."""
        for model in (
            graphs.arcface(tmp_path),
            graphs.genderage(tmp_path),
            graphs.doubler(tmp_path),
        ):
            with pytest.raises(ModelSignatureError, match="SCRFD network has one input"):
                load(model)

    def test_yunet_is_not_an_scrfd(self, shared: Path) -> None:
        """Twelve outputs are no number that any SCRFD has."""
        path = shared / "models" / "face_detection_yunet_2023mar.onnx"
        model = attrs.evolve(RealModels(shared).file("det_500m"), path=path)
        with pytest.raises(ModelSignatureError, match="12 outputs"):
            load(model)

    def test_scores_that_are_not_numbers(self, tmp_path: Path) -> None:
        """A network gone wrong is an error, not a picture without faces."""
        detector, session = recorded(graphs.scrfd(tmp_path))
        network = session.network
        session.network = lambda inputs: [output * np.nan for output in network(inputs)]
        with pytest.raises(InferenceError, match="not numbers"):
            detector.detect([graphs.red_cells(64, 64, [])], SINGLE)


def _with_trace(session: FakeSession, score: float) -> FakeSession:
    """Return a session whose anchors of stride 32, for large faces, give at least that score."""
    network = session.network

    def run(inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        outputs = network(inputs)
        least = min(len(output) for output in outputs)
        traced = [output.shape == (least, 1) for output in outputs]
        return [
            np.maximum(o, score) if coarse else o for o, coarse in zip(outputs, traced, strict=True)
        ]

    session.network = run
    return session


class TestFacesThatFillThePicture:
    def test_the_second_pass_finds_them(self, shared: Path) -> None:
        """The photos of people are crops of one face each: one pass sees none of them."""
        models = RealModels(shared)
        detector, photos = models.detector(), models.photos("people/*/*.png")
        assert not any(detector.detect(photos, SINGLE))
        assert all(detector.detect(photos, DetectorOptions()))

    def test_a_network_of_fixed_size_finds_them_too(self, shared: Path) -> None:
        """It looks at the picture again, made small within its input."""
        models = RealModels(shared)
        photos = models.photos("people/*/*1.png")
        found = models.detector("scrfd_500m_bnkps").detect(photos, DetectorOptions())
        assert photos
        assert all(found)
