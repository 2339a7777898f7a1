"""What real networks answer on fixed pictures, recorded as numbers.

Golden values catch what no shape can: a swapped channel, another normalisation, a shifted
coordinate. They were recorded after the answers had been compared with the insightface package
(see `tests.adapters.golden.test_insightface`); to record them again, run

    python -m tests.adapters.golden.record ../shared
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facecv.core.ports.detector import DetectorOptions
from tests.adapters.golden.pictures import drawn_face, drawn_scene, waves
from tests.real_models import RealModels

GOLDEN: dict[str, Any] = json.loads(
    Path(__file__).with_name("golden.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", sorted(GOLDEN["detectors"]))
def test_detectors(shared: Path, name: str) -> None:
    """Box within 0.5 pixels, score within 0.01, landmarks within 0.5 pixels."""
    (faces,) = RealModels(shared).detector(name).detect([drawn_scene()], DetectorOptions())
    expected = GOLDEN["detectors"][name]
    assert len(faces) == 1
    assert faces[0].landmarks is not None
    assert faces[0].score == pytest.approx(expected["score"], abs=0.01)
    np.testing.assert_allclose(faces[0].box.as_tuple(), expected["box"], atol=0.5)
    np.testing.assert_allclose(faces[0].landmarks, expected["landmarks"], atol=0.5)


@pytest.mark.parametrize("name", sorted(GOLDEN["embedders"]))
def test_embedders(shared: Path, name: str) -> None:
    """Cosine over the recorded part of the vector, and its length before normalisation."""
    crops = np.stack([drawn_face(), waves(112, 112)])
    vectors, norms = RealModels(shared).embedder(name).embed(crops)
    least = 0.99 if name.endswith("int8") else 0.9999  # int8 arithmetic differs between CPUs
    for vector, norm, expected in zip(vectors, norms, GOLDEN["embedders"][name], strict=True):
        wanted = np.array(expected["head"])
        head = vector[: len(wanted)]
        assert head @ wanted / np.linalg.norm(head) / np.linalg.norm(wanted) >= least
        assert norm == pytest.approx(expected["norm"], rel=0.05 if least < 0.999 else 1e-3)


def test_a_swapped_channel_would_not_pass(shared: Path) -> None:
    """The golden pictures are coloured enough to tell RGB from BGR."""
    embedder = RealModels(shared).embedder()
    crops = np.stack([drawn_face(), waves(112, 112)])
    right, wrong = embedder.embed(crops)[0], embedder.embed(crops[..., ::-1])[0]
    assert (right * wrong).sum(axis=1).max() < 0.999
