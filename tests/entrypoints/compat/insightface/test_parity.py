"""The same faces as the insightface package itself, from the same files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest

from facecv.core.arrays import Pixels
from facecv.entrypoints.compat.insightface import FaceAnalysis
from tests.graphs import red_cells
from tests.toy_pack import make_toy_pack

CPU = ["CPUExecutionProvider"]
SIZES = [(640, 640), None]

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # of the package and what it imports
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def toy_root(tmp_path: Path) -> Path:
    """Return a root with the pack ``toy``, made so that the package sees what it is."""
    folder = make_toy_pack(tmp_path / "models" / "toy")
    network = onnx.load(str(folder / "genderage.onnx"))
    for node, name in zip(network.graph.node, ("Sub", "Mul"), strict=False):
        node.name = name  # the package takes it from these names that pixels go in as they are
    onnx.save(network, str(folder / "genderage.onnx"))
    return tmp_path


@pytest.fixture
def real_root(tmp_path: Path, shared: Path) -> Path:
    """Return a root with the real detector and embedder of ``buffalo_sc``."""
    folder = tmp_path / "models" / "buffalo_sc"
    folder.mkdir(parents=True)
    for name in ("det_500m.onnx", "w600k_mbf.onnx"):
        (folder / name).symlink_to(shared / "models" / name)
    return tmp_path


@pytest.mark.parametrize("det_size", SIZES)
def test_small_networks_agree_in_every_attribute(
    toy_root: Path, det_size: tuple[int, int] | None
) -> None:
    rng = np.random.default_rng(5)
    pictures = []
    for width, height in ((640, 640), (500, 375), (300, 700)):
        cells = [(6, 5), (14, 9), (10, 18)]
        noise = rng.integers(-30, 30, (height, width, 3))
        noisy = red_cells(width, height, cells).astype(np.int64) + noise
        pictures.append(np.clip(noisy, 0, 255).astype(np.uint8))
    assert _agree("toy", toy_root, det_size, pictures, age=True) > 3


@pytest.mark.shared
@pytest.mark.parametrize("det_size", SIZES)
def test_real_networks_agree_on_photos(
    shared: Path, real_root: Path, det_size: tuple[int, int] | None
) -> None:
    insightface = pytest.importorskip("insightface")
    files = [
        *sorted((shared / "data/people").glob("*/*.jpg"))[::9],
        *sorted((shared / "data/groups").glob("*.jpg"))[::4],
        Path(insightface.__file__).parent / "data/images/t1.jpg",
    ]
    pictures = [cv2.imread(str(file)) for file in files]
    photos = [np.asarray(picture, dtype=np.uint8) for picture in pictures if picture is not None]
    assert len(photos) == len(files)
    assert _agree("buffalo_sc", real_root, det_size, photos, age=False) > 20


def _agree(
    pack: str,
    root: Path,
    det_size: tuple[int, int] | None,
    pictures: Sequence[Pixels],
    *,
    age: bool,
) -> int:
    """Compare both analyses of each picture; return how many faces there were."""
    package = pytest.importorskip("insightface.app")
    apps = []
    for kind in (package.FaceAnalysis, FaceAnalysis):
        app = kind(name=pack, root=str(root), providers=CPU)
        app.prepare(ctx_id=-1, det_thresh=0.5, det_size=det_size)
        apps.append(app)
    assert apps[1].det_size == apps[0].det_size
    assert apps[1].det_thresh == apps[0].det_thresh
    count = 0
    for picture in pictures:
        theirs, ours = (app.get(picture) for app in apps)
        assert len(theirs) == len(ours)
        count += len(theirs)
        for one, other in zip(theirs, ours, strict=True):
            _same_face(one, other, age=age)
    for one, other in zip(*(app.get(pictures[-1], max_num=2) for app in apps), strict=True):
        _same_face(one, other, age=age)
    return count


def _same_face(theirs: dict[str, Any], ours: dict[str, Any], *, age: bool) -> None:
    wanted = {"bbox", "kps", "det_score", "embedding"} | ({"age", "gender"} if age else set())
    assert wanted <= set(theirs)
    assert set(ours) == wanted
    for name in ("bbox", "kps", "det_score", "embedding"):
        assert np.asarray(ours[name]).dtype == np.asarray(theirs[name]).dtype
        assert np.shape(ours[name]) == np.shape(theirs[name])
    assert ours["bbox"] == pytest.approx(theirs["bbox"], abs=0.5)
    assert ours["kps"] == pytest.approx(np.asarray(theirs["kps"]), abs=0.5)
    assert ours["det_score"] == pytest.approx(theirs["det_score"], abs=0.01)
    one, other = (np.asarray(face["embedding"]) for face in (ours, theirs))
    assert one @ other / (np.linalg.norm(one) * np.linalg.norm(other)) >= 0.9999
    assert np.linalg.norm(one) == pytest.approx(np.linalg.norm(other), rel=1e-3)
    assert (ours.get("age"), ours.get("gender")) == (theirs.get("age"), theirs.get("gender"))
