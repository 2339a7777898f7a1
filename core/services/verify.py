"""Are the faces of two pictures the same person?"""

import attrs

from facecv.core.face import Face
from facecv.core.image import Image
from facecv.core.services.analyse import Analyser, Want, largest
from facecv.core.services.find import FindOptions


@attrs.frozen(eq=False)
class Verification:
    """The answer.

    Attributes:
        match: whether the similarity reaches the threshold; False where a face is missing.
        similarity: cosine of the largest faces, -1..1; None where a picture has no usable face.
        threshold: the cosine that was needed.
        far: the false-accept rate the threshold stands for; None where it is not known.
        faces: the face used of each picture; None where there is none.
    """

    match: bool
    similarity: float | None
    threshold: float
    far: float | None
    faces: tuple[Face | None, Face | None]

    @property
    def missing(self) -> tuple[int, ...]:
        """Which pictures (0, 1) have no usable face."""
        return tuple(i for i, face in enumerate(self.faces) if not (face and face.embedding))


@attrs.define(eq=False)
class Verifier:
    """Compares the largest faces of two pictures.

    Attributes:
        analyser: looks at the pictures.
        threshold: the similarity from which two faces are one person; None: the model's own.
    """

    analyser: Analyser
    threshold: float | None = None

    def verify(
        self,
        one: Image,
        other: Image,
        find: FindOptions | None = None,
        threshold: float | None = None,
    ) -> Verification:
        """Return whether two pictures show the same person; a missing face is an answer too."""
        found = self.analyser.analyse([one, other], Want(), find)
        first, second = largest(found[0]), largest(found[1])
        similarity = None
        if first and second and first.embedding and second.embedding:
            similarity = first.embedding.cosine(second.embedding)
        needed, far = self._needed(threshold)
        match = similarity is not None and similarity >= needed
        return Verification(match, similarity, needed, far, (first, second))

    def _needed(self, threshold: float | None) -> tuple[float, float | None]:
        own = self.threshold if threshold is None else threshold
        recognition = self.analyser.recognition
        return (recognition.threshold, recognition.far) if own is None else (own, None)
