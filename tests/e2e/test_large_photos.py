"""Photos of twelve megapixels: what a preview gives is what the full decode gives."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from facecv import Engine, Want
from facecv.core.arrays import Pixels
from facecv.core.image import Image
from facecv.core.services.analyse import largest

PIXELS = 12_000_000


@pytest.fixture(scope="module")
def engine(shared: Path) -> Engine:
    return Engine.open(
        {"pack_dir": str(shared / "models"), "detector": "det_500m", "embedder": "w600k_mbf"},
        device="cpu",
        gallery="memory",
    )


def phone_photo(path: Path) -> tuple[Pixels, bytes]:
    """Return a photo at twelve megapixels with a little noise, and as a JPEG file."""
    small = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert small is not None
    factor = (PIXELS / (small.shape[0] * small.shape[1])) ** 0.5
    large = cv2.resize(small, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    noise = cv2.randn(np.empty(large.shape, np.int16), np.zeros(3), np.full(3, 2.0))
    noisy = np.clip(large + noise, 0, 255).astype(np.uint8)
    data = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 96])[1]
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.asarray(decoded, dtype=np.uint8), data.tobytes()


@pytest.mark.shared
@pytest.mark.parametrize("person", ["amy", "howard", "penny", "sheldon"])
def test_faces_are_those_of_the_full_decode(engine: Engine, shared: Path, person: str) -> None:
    full, data = phone_photo(next((shared / "data/people" / person).glob("*1.*")))
    assert len(data) > 2_000_000
    image = engine.read(data)
    assert image.preview
    found, expected = (largest(engine.analyze(each, Want())) for each in (image, Image(full)))
    assert found
    assert expected
    assert found.box.iou(expected.box) > 0.97
    assert found.embedding
    assert expected.embedding
    assert found.embedding.cosine(expected.embedding) >= 0.995
    assert found.quality
    assert expected.quality
    assert found.quality.score == pytest.approx(expected.quality.score, abs=0.15)
