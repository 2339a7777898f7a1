"""The YuNet plugin: decoding on a small network of its signature, and the real one on photos."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

import facecv
from facecv.core.arrays import Pixels, check_pixels
from facecv.core.errors import ModelSignatureError
from facecv.core.geometry import ARCFACE_TEMPLATE
from facecv.core.pack import ModelFile, ModelSpec
from facecv.core.ports.detector import Detector, DetectorOptions
from facecv.plugins import BuildRequest
from facecv.plugins.contracts.detector import DetectorContract
from facecv.plugins.manager import load

onnx = pytest.importorskip("onnx")
yunet = pytest.importorskip("facecv_yunet", reason="the example plugin is not installed")

SIDE, CELL = 64, 16
_LN_2 = 0.6931472
_OFFSETS = {
    "bbox": [0.5, 0.5, _LN_2, _LN_2],
    "kps": (ARCFACE_TEMPLATE / 112).ravel().tolist(),
}


def _built(path: Path) -> Detector:
    """Return the plugin's detector, built as the configuration builds it."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    spec = ModelSpec(path.stem, path.name, "detection", "yunet")
    runtime = load(third_party=False).provider("backends", "onnxruntime")
    backend = runtime.build(BuildRequest(runtime.settings()))
    request = BuildRequest(model=ModelFile(path, digest, spec), backend=backend)
    detector: Detector = yunet.build(request)
    return detector


def _network(path: Path, *, kinds: tuple[str, ...] = ("cls", "obj", "bbox", "kps")) -> Path:
    """Write a network that finds a face, two cells wide, in every red cell of 16 x 16 pixels."""
    nodes, weights, outputs = [], [], []
    for kind in kinds:
        for stride in (8, 16, 32):
            name = f"{kind}_{stride}"
            kernel, bias = _kernel(kind, stride)
            arrays = {"kernel": kernel, "bias": bias, "shape": np.array([1, -1, len(bias)])}
            weights += [onnx.numpy_helper.from_array(a, f"{name}_{k}") for k, a in arrays.items()]
            nodes += _nodes(name, stride, squashed=kind in {"cls", "obj"})
            shape = [1, (SIDE // stride) ** 2, len(bias)]
            outputs.append(onnx.helper.make_tensor_value_info(name, 1, shape))
    picture = onnx.helper.make_tensor_value_info("input", 1, [1, 3, SIDE, SIDE])
    graph = onnx.helper.make_graph(nodes, "yunet", [picture], outputs, weights)
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), str(path))
    return path


def _kernel(kind: str, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a 1x1 convolution: redness for scores, constants for boxes and landmarks."""
    if kind in _OFFSETS:
        bias = np.array(_OFFSETS[kind], np.float32)
        return np.zeros((len(bias), 3, 1, 1), np.float32), bias
    looks = stride == CELL
    kernel = np.array([-20, 0, 20], np.float32).reshape(1, 3, 1, 1) / 255 * looks
    return kernel, np.array([-10.0 if looks else -40.0], np.float32)


def _nodes(name: str, stride: int, *, squashed: bool) -> list[object]:
    cells = {"kernel_shape": [stride, stride], "strides": [stride, stride]}
    node = onnx.helper.make_node
    raw = f"{name}_raw" if squashed else name
    nodes = [
        node("AveragePool", ["input"], [f"{name}_cells"], **cells),
        node("Conv", [f"{name}_cells", f"{name}_kernel", f"{name}_bias"], [f"{name}_map"]),
        node("Transpose", [f"{name}_map"], [f"{name}_last"], perm=[0, 2, 3, 1]),
        node("Reshape", [f"{name}_last", f"{name}_shape"], [raw]),
    ]
    return [*nodes, node("Sigmoid", [raw], [name])] if squashed else nodes


def _picture(width: int, height: int, *cells: tuple[int, int], cell: int = CELL) -> Pixels:
    picture = np.full((height, width, 3), 128, dtype=np.uint8)
    for column, row in cells:
        picture[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell] = (0, 0, 255)
    return picture


@pytest.fixture
def detector(tmp_path: Path) -> Detector:
    return _built(_network(tmp_path / "yunet.onnx"))


class TestContract(DetectorContract):
    @pytest.fixture
    def detector(self, tmp_path: Path) -> Detector:
        return _built(_network(tmp_path / "yunet.onnx"))

    @pytest.fixture
    def picture(self) -> Pixels:
        return _picture(64, 64, (1, 1))


@pytest.mark.shared
class TestRealContract(DetectorContract):
    @pytest.fixture
    def detector(self, shared: Path) -> Detector:
        return _built(shared / "models" / "face_detection_yunet_2023mar.onnx")

    @pytest.fixture
    def picture(self, shared: Path) -> Pixels:
        picture = cv2.imread(str(shared / "data" / "groups" / "bbt1.jpg"))
        return check_pixels(np.asarray(picture))


class TestDecoding:
    def test_box_and_landmarks_of_a_cell(self, detector: Detector) -> None:
        (face,) = detector.detect([_picture(64, 64, (2, 1))], DetectorOptions())[0]
        assert face.box.as_tuple() == pytest.approx((24, 8, 56, 40), abs=1e-3)
        assert face.score == pytest.approx(1, abs=1e-3)
        assert face.landmarks == pytest.approx(ARCFACE_TEMPLATE / 112 * CELL + [32, 16], abs=1e-3)

    @pytest.mark.parametrize(("width", "height"), [(128, 64), (64, 128), (128, 128)])
    def test_large_pictures_are_scaled(self, detector: Detector, width: int, height: int) -> None:
        (face,) = detector.detect([_picture(width, height, (0, 1), cell=32)], DetectorOptions())[0]
        assert face.box.as_tuple() == pytest.approx((-16, 16, 48, 80), abs=1e-3)

    def test_pictures_keep_their_order(self, detector: Detector) -> None:
        pictures = [_picture(64, 64), _picture(64, 64, (0, 0), (3, 3)), _picture(64, 64, (1, 1))]
        assert [len(faces) for faces in detector.detect(pictures, DetectorOptions())] == [0, 2, 1]
        assert detector.detect([], DetectorOptions()) == []

    def test_overlapping_faces_are_one(self, detector: Detector) -> None:
        """Neighbours overlap by a third."""
        neighbours = [_picture(64, 64, (1, 1), (2, 1))]
        assert len(detector.detect(neighbours, DetectorOptions(nms_threshold=0.4))[0]) == 2
        assert len(detector.detect(neighbours, DetectorOptions(nms_threshold=0.3))[0]) == 1

    def test_colours_are_blue_green_red(self, detector: Detector) -> None:
        blue = _picture(64, 64, (2, 1))[..., ::-1]
        assert detector.detect([blue], DetectorOptions()) == [[]]

    def test_another_network_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ModelSignatureError, match="kps_8"):
            _built(_network(tmp_path / "other.onnx", kinds=("cls", "obj", "bbox")))


class TestHooks:
    def test_the_manager_finds_the_plugin(self) -> None:
        catalogue = load()
        assert catalogue.provider("detectors", "yunet").needs_model
        assert "yunet" in [pack.name for pack in catalogue.packs()]
        (info,) = [plugin for plugin in catalogue.plugins if plugin.name == "yunet"]
        assert (info.distribution, info.error) == ("facecv-yunet", "")


class TestConfiguration:
    def test_a_name_selects_the_detector(self, tmp_path: Path) -> None:
        network = _network(tmp_path / "small.onnx")
        config = tmp_path / "facecv.toml"
        config.write_text(
            f'pack = "buffalo_sc"\ndetector = "yunet:{network.as_posix()}"\n', encoding="utf-8"
        )
        with facecv.Engine.open(config) as engine:
            faces = engine.detect(_picture(64, 64, (2, 1)))
        assert [face.box.as_tuple() for face in faces] == [pytest.approx((24, 8, 56, 40), abs=1e-3)]


@pytest.mark.shared
class TestRealNetwork:
    @pytest.mark.parametrize("photo", ["bald_guys.jpg", "bbt1.jpg", "2009_004587.jpg"])
    def test_faces_are_those_of_opencv(self, shared: Path, photo: str) -> None:
        """OpenCV has a decoder of its own for this network."""
        path = shared / "models" / "face_detection_yunet_2023mar.onnx"
        picture = cv2.imread(str(shared / "data" / "groups" / photo))
        assert picture is not None
        picture = check_pixels(cv2.resize(picture, (640, 640)))
        _, rows = cv2.FaceDetectorYN.create(str(path), "", (640, 640), 0.6, 0.3).detect(picture)
        options = DetectorOptions(score_threshold=0.6, nms_threshold=0.3)
        found = _built(path).detect([picture], options)[0]
        rows = rows[np.argsort(-rows[:, 14])]
        assert len(found) == len(rows) > 0
        for face, row in zip(found, rows, strict=True):
            corners = [row[0], row[1], row[0] + row[2], row[1] + row[3]]
            assert face.box.as_tuple() == pytest.approx(corners, abs=0.5)
            assert face.landmarks == pytest.approx(row[4:14].reshape(5, 2), abs=0.5)
            assert face.score == pytest.approx(row[14], abs=0.01)
