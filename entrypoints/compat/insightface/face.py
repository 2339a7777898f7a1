"""A face as scripts written for the insightface package know it."""

from typing import Any, Self

import numpy as np

from facecv.core.arrays import Floats
from facecv.core.face import Detection
from facecv.core.face import Face as AnalysedFace
from facecv.core.geometry import Box


class Face(dict[str, Any]):
    """A face whose items are attributes too; what is not known is None.

    Items: ``bbox`` float32 [4], ``kps`` float32 [5, 2] or None, ``det_score``; and, where a model
    gives them, ``embedding`` float32 [D] (not normalised), ``gender`` (1 male, 0 female) and
    ``age`` (whole years).
    """

    @classmethod
    def of(cls, face: AnalysedFace) -> Self:
        """Return a face of ours in this shape; its arrays are copies."""
        made = cls.detected(face.detection)
        if face.embedding:
            made.embedding = face.embedding.vector * np.float32(face.embedding.norm)
        gender, age = face.attributes.get("gender"), face.attributes.get("age")
        if gender:
            made.gender = int(gender.value == "male")
        if age and isinstance(age.value, int | float):
            made.age = int(np.round(age.value))
        return made

    @classmethod
    def detected(cls, detection: Detection) -> Self:
        """Return a face of which nothing but the place is known."""
        points = detection.landmarks
        return cls(
            bbox=np.array(detection.box.as_tuple(), dtype=np.float32),
            kps=None if points is None else points.copy(),
            det_score=np.float32(detection.score),
        )

    def detection(self) -> Detection:
        """Return the place of the face as one of our values."""
        score = 1.0 if self.det_score is None else float(self.det_score)
        return Detection(Box(*np.asarray(self.bbox).tolist()), score, self.kps)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - an item may be anything
        if name.startswith("__"):
            raise AttributeError(name)  # copy, pickle and numpy ask for protocols like this
        return self.get(name)

    def __setattr__(self, name: str, value: object) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in self:
            raise AttributeError(name)
        del self[name]

    @property
    def embedding_norm(self) -> np.float32 | None:
        """Length of the embedding."""
        return None if self.embedding is None else np.linalg.norm(self.embedding)

    @property
    def normed_embedding(self) -> Floats | None:
        """The embedding at length one, float32 [D]."""
        if self.embedding is None:
            return None
        scaled: Floats = self.embedding / self.embedding_norm
        return scaled

    @property
    def sex(self) -> str | None:
        """``M`` or ``F``."""
        return None if self.gender is None else "FM"[int(self.gender)]
