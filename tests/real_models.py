"""The real weights and photos beside the project, for the tests and benchmarks that have them."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import attrs
import cv2
import numpy as np

from facecv.adapters.backends.onnxruntime import OnnxRuntimeBackend
from facecv.adapters.detectors.scrfd import Scrfd
from facecv.adapters.embedders.arcface import ArcFace
from facecv.core.arrays import Floats, Pixels
from facecv.core.geometry import arcface_transform
from facecv.core.pack import InputSpec, ModelFile, ModelSpec, RecognitionSpec
from facecv.core.ports.inference_backend import Session, SessionOptions

CPU = SessionOptions(device="cpu")

_SCRFD = InputSpec(std=128.0)
_SPECS: Mapping[str, ModelSpec] = {
    spec.name: spec
    for spec in (
        ModelSpec("det_500m", "det_500m.onnx", "detection", "scrfd", input=_SCRFD),
        ModelSpec("det_2.5g", "det_2.5g.onnx", "detection", "scrfd", input=_SCRFD),
        ModelSpec("scrfd_500m_bnkps", "scrfd_500m_bnkps.onnx", "detection", "scrfd", input=_SCRFD),
        ModelSpec("w600k_mbf", "w600k_mbf.onnx", "recognition", "arcface"),
        ModelSpec("w600k_mbf_int8", "w600k_mbf_int8.onnx", "recognition", "arcface"),
        ModelSpec(
            "mobilefacenet_128d",
            "mobilefacenet_128d.onnx",
            "recognition",
            "arcface",
            recognition=RecognitionSpec(dim=128),
        ),
    )
}


@attrs.frozen
class RealModels:
    """Loads the real networks of a folder on the CPU.

    Attributes:
        shared: the folder that holds ``models`` and ``data``.
        options: how they are loaded.
        graph_cache: folder of networks prepared for the CPU; None: they are loaded as they are.
    """

    shared: Path
    options: SessionOptions = CPU
    graph_cache: Path | None = None

    def file(self, name: str) -> ModelFile:
        """Return a model by name."""
        spec = _SPECS[name]
        path = self.shared / "models" / spec.file
        return ModelFile(path, hashlib.sha256(path.read_bytes()).hexdigest(), spec)

    def session(self, model: ModelFile) -> Session:
        """Return a model, loaded."""
        return OnnxRuntimeBackend(graph_cache=self.graph_cache).load(model, self.options)

    def detector(self, name: str = "det_500m") -> Scrfd:
        """Return an SCRFD."""
        model = self.file(name)
        return Scrfd(self.session(model), model.spec.input)

    def embedder(self, name: str = "w600k_mbf") -> ArcFace:
        """Return an ArcFace."""
        model = self.file(name)
        return ArcFace(self.session(model), model)

    def photos(self, pattern: str) -> list[Pixels]:
        """Return the photos under ``data`` that match a glob pattern, uint8 BGR, by name."""
        paths = sorted((self.shared / "data").glob(pattern))
        images = (cv2.imread(str(path), cv2.IMREAD_COLOR) for path in paths)
        return [np.asarray(image, dtype=np.uint8) for image in images if image is not None]


def aligned(image: Pixels, landmarks: Floats) -> Pixels:
    """Return the ArcFace crop of a face, uint8 [112, 112, 3]."""
    crop = cv2.warpAffine(image, arcface_transform(landmarks), (112, 112))
    return np.asarray(crop, dtype=np.uint8)
