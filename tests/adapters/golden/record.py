"""Record what the real networks answer: ``python -m tests.adapters.golden.record ../shared``."""

import json
import sys
from pathlib import Path

import numpy as np

from facecv.core.ports.detector import DetectorOptions
from tests.adapters.golden.pictures import drawn_face, drawn_scene, waves
from tests.real_models import RealModels

DETECTORS = ("det_500m", "det_2.5g", "scrfd_500m_bnkps")
EMBEDDERS = ("w600k_mbf", "w600k_mbf_int8", "mobilefacenet_128d")
HEAD = 64


def record(shared: Path) -> dict[str, object]:
    """Return the golden values of all networks that are at hand."""
    models = RealModels(shared)
    return {
        "detectors": {name: _detection(models, name) for name in DETECTORS},
        "embedders": {name: _embeddings(models, name) for name in EMBEDDERS},
    }


def _detection(models: RealModels, name: str) -> dict[str, object]:
    ((face,),) = models.detector(name).detect([drawn_scene()], DetectorOptions())
    landmarks = np.asarray(face.landmarks, dtype=np.float64).round(2).tolist()
    box = [round(side, 2) for side in face.box.as_tuple()]
    return {"box": box, "score": round(face.score, 4), "landmarks": landmarks}


def _embeddings(models: RealModels, name: str) -> list[dict[str, object]]:
    vectors, norms = models.embedder(name).embed(np.stack([drawn_face(), waves(112, 112)]))
    return [
        {"norm": round(float(norm), 4), "head": [round(float(x), 5) for x in vector[:HEAD]]}
        for vector, norm in zip(vectors, norms, strict=True)
    ]


if __name__ == "__main__":
    target = Path(__file__).with_name("golden.json")
    target.write_text(json.dumps(record(Path(sys.argv[1])), indent=1) + "\n", encoding="utf-8")
