"""Detections and faces: what is known about one face in one picture."""

from collections.abc import Mapping

import attrs
import numpy as np

from facecv.core.arrays import Floats, Pixels, as_landmarks, same_array
from facecv.core.attributes import AttributeValue
from facecv.core.embedding import Embedding
from facecv.core.geometry import Box
from facecv.core.quality import Quality


@attrs.frozen
class Detection:
    """A face found by a detector.

    Attributes:
        box: where it is, in pixels of the picture as given.
        score: confidence, 0..1.
        landmarks: float32 [5, 2], read-only: eyes (left and right as seen), nose tip, mouth
            corners (left and right as seen); None where the detector finds none.
    """

    box: Box
    score: float = attrs.field(converter=float)
    landmarks: Floats | None = attrs.field(
        default=None, converter=as_landmarks, eq=same_array, hash=False
    )

    def moved(self, dx: float, dy: float) -> "Detection":
        """Return the detection shifted by (dx, dy) pixels."""
        points = self.landmarks
        moved = None if points is None else points + np.array([dx, dy], dtype=np.float32)
        return attrs.evolve(self, box=self.box.moved(dx, dy), landmarks=moved)

    def scaled(self, factor: float) -> "Detection":
        """Return the detection with all coordinates multiplied by `factor`; itself for 1."""
        if factor == 1:
            return self
        points = self.landmarks
        scaled = None if points is None else points * np.float32(factor)
        return attrs.evolve(self, box=self.box.scaled(factor), landmarks=scaled)


@attrs.frozen(eq=False)
class Face:
    """A detected face with whatever else was asked for.

    Attributes:
        detection: where it is.
        embedding: its embedding; None if not asked for, or if the detector gave no landmarks.
        quality: how usable it is for recognition; None if not asked for.
        attributes: attribute name to value.
        crop: aligned uint8 [112, 112, 3] BGR, where it was asked for.
    """

    detection: Detection
    embedding: Embedding | None = None
    quality: Quality | None = None
    attributes: Mapping[str, AttributeValue] = attrs.field(factory=dict)
    crop: Pixels | None = None

    @property
    def box(self) -> Box:
        """Where the face is, in pixels."""
        return self.detection.box

    @property
    def score(self) -> float:
        """Confidence of the detector, 0..1."""
        return self.detection.score

    @property
    def landmarks(self) -> Floats | None:
        """Five points, float32 [5, 2], or None."""
        return self.detection.landmarks
