"""What ``FaceAnalysis.models`` holds: one object a task, with the methods scripts call."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import attrs
import numpy as np

from facecv.core.arrays import Floats, Pixels
from facecv.core.errors import InputError
from facecv.core.face import Detection
from facecv.core.geometry import nms
from facecv.core.ports.detector import DetectorOptions
from facecv.core.services.analyse import Analyser, Want
from facecv.core.services.find import FindOptions, find_faces
from facecv.entrypoints.compat.insightface.arguments import DEFAULT_SIZES, Size, detection_sizes
from facecv.entrypoints.compat.insightface.face import Face

Metric = Literal["default", "max"]
_NMS = 0.4


@attrs.define(eq=False)
class DetectionModel:
    """Finds faces as the package does: in padded squares, once for each size.

    Attributes:
        analyser: holds the detector.
        det_thresh: the least score.
        sizes: width and height of each look at a picture; all looks share one suppression.
    """

    taskname: ClassVar[str] = "detection"
    analyser: Analyser
    det_thresh: float = 0.5
    sizes: tuple[Size, ...] = DEFAULT_SIZES

    def detect(
        self,
        img: Pixels,
        input_size: Size | Sequence[Size] | None = None,
        max_num: int = 0,
        metric: Metric = "default",
        det_thresh: float | None = None,
    ) -> tuple[Floats, Floats | None]:
        """Return boxes with scores, float32 [N, 5], and landmarks, float32 [N, 5, 2] or None.

        Args:
            img: uint8 [H, W, 3] BGR.
            input_size: instead of `sizes`.
            max_num: the most faces; 0: all.
            metric: which, if there are more; see `find`.
            det_thresh: instead of the model's.
        """
        sizes = self.sizes if input_size is None else detection_sizes(input_size)
        model = attrs.evolve(
            self, sizes=sizes, det_thresh=self.det_thresh if det_thresh is None else det_thresh
        )
        found = model.find(img, max_num, metric)
        rows = [(*face.box.as_tuple(), face.score) for face in found]
        points = [face.landmarks for face in found if face.landmarks is not None]
        marks = np.array(points, dtype=np.float32).reshape(-1, 5, 2)
        complete = len(points) == len(found)
        return np.array(rows, dtype=np.float32).reshape(-1, 5), marks if complete else None

    def find(self, img: Pixels, max_num: int = 0, metric: Metric = "default") -> list[Detection]:
        """Return the faces of a picture, by falling score.

        If there are more than `max_num` (and that is not 0), the largest come back (metric
        ``max``), or those that are large and near the middle (``default``), the foremost first.
        """
        looks = [
            find_faces(self.analyser.detector.get(), [img], self._options(size, img))[0]
            for size in self.sizes
        ]
        faces = _merged(looks)
        if not 0 < max_num < len(faces):
            return faces
        return sorted(faces, key=lambda face: -_prominence(face, img, metric))[:max_num]

    def _options(self, size: Size, img: Pixels) -> FindOptions:
        """Return options under which a picture is scaled as into a canvas of that size."""
        width, height = size
        if width == height:
            options = DetectorOptions(self.det_thresh, _NMS, width, "single", "square")
        else:
            scale = min(width / img.shape[1], height / img.shape[0])
            longer = max(32, round(max(img.shape[:2]) * scale))
            options = DetectorOptions(self.det_thresh, _NMS, longer, "single", "rectangle")
        return FindOptions(options, order="score")


@attrs.define(eq=False)
class RecognitionModel:
    """Embeds faces."""

    taskname: ClassVar[str] = "recognition"
    analyser: Analyser

    @property
    def input_size(self) -> Size:
        """Width and height of the aligned crops."""
        side = self.analyser.embedder.get().input_size
        return side, side

    def get(self, img: Pixels, face: Face) -> Floats:
        """Return the embedding of a face, float32 [D], not normalised; the face gets it too."""
        if face.kps is None:
            raise InputError("a face without landmarks cannot be aligned")
        crops = self.analyser.aligner.align(img, [face.kps], self.input_size[0])
        face.embedding = self.get_feat(list(crops))[0]
        return np.asarray(face.embedding, dtype=np.float32)

    def get_feat(self, imgs: Pixels | Sequence[Pixels]) -> Floats:
        """Return embeddings of aligned crops, float32 [N, D], not normalised.

        Args:
            imgs: one crop uint8 [S, S, 3] BGR, or several.
        """
        crops = [imgs] if isinstance(imgs, np.ndarray) and imgs.ndim == 3 else list(imgs)
        found = self.analyser.embed_crops(np.stack(crops))
        return np.stack([item.vector * np.float32(item.norm) for item in found])

    def compute_sim(self, feat1: Floats, feat2: Floats) -> float:
        """Return the cosine of two embeddings."""
        one, other = np.ravel(feat1), np.ravel(feat2)
        return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


@attrs.define(eq=False)
class GenderAgeModel:
    """Estimates gender and age."""

    taskname: ClassVar[str] = "genderage"
    wanted: ClassVar[frozenset[str]] = frozenset({"age", "gender"})
    analyser: Analyser

    def get(self, img: Pixels, face: Face) -> tuple[int, int]:
        """Return gender (1 male, 0 female) and age (years) of a face, which gets them too."""
        want = Want(quality=False, embedding=False, attributes=self.wanted)
        described = Face.of(self.analyser.describe([(img, face.detection())], want)[0])
        face.gender, face.age = described.gender, described.age
        return described.gender, described.age


Model = DetectionModel | RecognitionModel | GenderAgeModel


def _merged(looks: Sequence[Sequence[Detection]]) -> list[Detection]:
    """Return the faces of several looks at one picture, by falling score, each once."""
    faces = [face for look in looks for face in look]
    boxes = np.array([face.box.as_tuple() for face in faces], dtype=np.float32).reshape(-1, 4)
    scores = np.array([face.score for face in faces], dtype=np.float32)
    return [faces[index] for index in nms(boxes, scores, _NMS)]


def _prominence(face: Detection, img: Pixels, metric: Metric) -> float:
    """Return the area of a face, less (unless `metric` is ``max``) what its offset costs."""
    if metric == "max":
        return face.box.area
    middle = img.shape[1] // 2, img.shape[0] // 2
    dx, dy = np.subtract(face.box.center, middle)
    return float(face.box.area - 2 * (dx * dx + dy * dy))
