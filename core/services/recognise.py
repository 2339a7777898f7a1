"""Recognising faces that were found before: embed them, and search for them."""

from collections.abc import Sequence

import attrs

from facecv.core.embedding import EmbeddingSpace
from facecv.core.errors import CollectionNotFoundError
from facecv.core.face import Face
from facecv.core.gallery import Identification
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.core.services.analyse import Analyser, Want
from facecv.core.services.cuts import Found
from facecv.core.services.follow import default_threshold, following
from facecv.core.services.identify import Identifier, IdentifyOptions

Recognised = tuple[Face, Identification]


@attrs.define(eq=False)
class Recogniser:
    """Says who faces are, among the persons of one collection, with the embedder of its space.

    While there is no such collection, everybody is unknown.

    Attributes:
        analyser: looks at pictures.
        gallery: where the collection is.
        collection: its name.
        threshold: used where the collection has none; None: the model's.
        margin: used where the collection has none.
        options: how to decide.
    """

    analyser: Analyser
    gallery: GalleryRepo
    collection: str
    threshold: float | None = None
    margin: float = 0.02
    options: IdentifyOptions = attrs.field(factory=IdentifyOptions)

    def recognise(self, found: Sequence[Found], want: Want) -> list[Recognised]:
        """Return faces with all that `want` asks for, its embedding among it, and who each is.

        Args:
            found: pairs of a picture, uint8 [H, W, 3] BGR, and a face with landmarks in it.
            want: what to find out.

        Raises:
            ModelNotFoundError: no model at hand has the space of the collection.
        """

        def work(analyser: Analyser) -> list[Recognised]:
            faces = analyser.describe(found, attrs.evolve(want, embedding=True))
            return list(zip(faces, self._who(faces), strict=True))

        if not found:
            return []
        return following(self.collection, self.analyser, self.gallery, work, may_be_new=True)

    def _who(self, faces: Sequence[Face]) -> list[Identification]:
        probes = [face.embedding for face in faces if face.embedding]
        threshold = self._threshold(probes[0].space)
        identifier = Identifier(self.gallery, threshold, self.margin, self.analyser.meter)
        try:
            return identifier.identify(self.collection, probes, self.options)
        except CollectionNotFoundError:
            return [Identification("unknown", (), threshold) for _ in probes]

    def _threshold(self, space: EmbeddingSpace) -> float:
        if self.threshold is not None:
            return self.threshold
        return default_threshold(self.analyser, space)
