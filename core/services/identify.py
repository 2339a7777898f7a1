"""Who is this? Never the nearest stranger."""

from collections.abc import Sequence

import attrs

from facecv.core.embedding import Embedding
from facecv.core.gallery import Identification, Match, Metadata, SearchQuery
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.core.ports.meter import Meter
from facecv.core.services.metering import NoMeter, timed


@attrs.frozen
class IdentifyOptions:
    """How to decide.

    Attributes:
        top_k: the most candidates to return.
        threshold: the cosine from which a face counts as known; None: the collection's, or the
            model's.
        margin: the best two persons closer than this are ambiguous; None: the collection's, or
            the engine's.
        where: only persons whose metadata has all these values.
    """

    top_k: int = attrs.field(default=5, validator=attrs.validators.ge(1))
    threshold: float | None = None
    margin: float | None = None
    where: Metadata = attrs.field(factory=dict)


@attrs.define(eq=False)
class Identifier:
    """Searches a collection and decides what the result means.

    Attributes:
        gallery: where the collections are.
        threshold: used where neither the caller nor the collection has one.
        margin: likewise.
        meter: is told how long searches take.
    """

    gallery: GalleryRepo
    threshold: float
    margin: float
    meter: Meter = attrs.field(factory=NoMeter)

    def identify(
        self, collection: str, probes: Sequence[Embedding], options: IdentifyOptions
    ) -> list[Identification]:
        """Return who each probe is.

        Raises:
            CollectionNotFoundError: there is no such collection.
            EmbeddingSpaceError: the probes are of another model than the collection.
        """
        bound = self.gallery.collection(collection)
        threshold = _first(options.threshold, bound.threshold, self.threshold)
        margin = _first(options.margin, bound.margin, self.margin)
        # Two candidates at least: the runner-up decides whether the best is ambiguous.
        query = SearchQuery(top_k=max(options.top_k, 2), where=options.where)
        with timed(self.meter, "search", len(probes)):
            found = self.gallery.search(collection, probes, query)
        return [_decide(matches, threshold, margin, options.top_k) for matches in found]


def _decide(
    matches: Sequence[Match], threshold: float, margin: float, top_k: int
) -> Identification:
    """Return what a search result means; `matches` fall in similarity, persons are distinct."""
    best = matches[0].similarity if matches else None
    known = tuple(match for match in matches if match.similarity >= threshold)
    if not known:
        return Identification("unknown", (), threshold, best)
    if len(matches) > 1 and matches[0].similarity - matches[1].similarity < margin:
        return Identification("ambiguous", known[: max(top_k, 2)], threshold, best)
    return Identification("match", known[:top_k], threshold, best)


def _first(*values: float | None) -> float:
    return next(value for value in values if value is not None)
