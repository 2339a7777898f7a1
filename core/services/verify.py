"""Are the faces of two pictures the same person?"""

import attrs

from facecv.core.embedding import Embedding
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
        missing: which sides (0, 1) are pictures without a usable face.
    """

    match: bool
    similarity: float | None
    threshold: float
    far: float | None
    faces: tuple[Face | None, Face | None]
    missing: tuple[int, ...] = ()


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
        one: Image | Embedding,
        other: Image | Embedding,
        find: FindOptions | None = None,
        threshold: float | None = None,
    ) -> Verification:
        """Return whether two pictures show the same person; a missing face is an answer too.

        An embedding that was computed before may stand for a picture.

        Raises:
            EmbeddingSpaceError: the two are of different spaces.
        """
        images = [each for each in (one, other) if isinstance(each, Image)]
        found = map(largest, self.analyser.analyse(images, Want(), find))
        first, second = (next(found) if isinstance(each, Image) else None for each in (one, other))
        left, right = _embedding(one, first), _embedding(other, second)
        similarity = left.cosine(right) if left and right else None
        needed, far = self._needed(threshold)
        match = similarity is not None and similarity >= needed
        missing = tuple(side for side, each in enumerate((left, right)) if each is None)
        return Verification(match, similarity, needed, far, (first, second), missing)

    def _needed(self, threshold: float | None) -> tuple[float, float | None]:
        own = self.threshold if threshold is None else threshold
        recognition = self.analyser.recognition
        return (recognition.threshold, recognition.far) if own is None else (own, None)


def _embedding(given: Image | Embedding, face: Face | None) -> Embedding | None:
    if isinstance(given, Embedding):
        return given
    return face.embedding if face else None
