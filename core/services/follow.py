"""Collections follow the model: what is done with one is done with the embedder of its space."""

from collections.abc import Callable
from typing import TypeVar

from facecv.core.embedding import EmbeddingSpace
from facecv.core.errors import CollectionNotFoundError, EmbeddingSpaceError, ModelNotFoundError
from facecv.core.pack import RecognitionSpec
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.core.services.analyse import Analyser

ResultT = TypeVar("ResultT")
_ATTEMPTS = 3


def following(
    collection: str,
    analyser: Analyser,
    gallery: GalleryRepo,
    work: Callable[[Analyser], ResultT],
    *,
    may_be_new: bool = False,
) -> ResultT:
    """Return what `work` returns, given an analyser that embeds in the space of a collection.

    If the collection gets another space meanwhile (it was migrated, or made by somebody else),
    `work` runs again with the embedder of that one, so it must leave nothing behind when it raises
    `EmbeddingSpaceError`.

    Args:
        collection: its name.
        analyser: looks at pictures; its choice of embedder counts for a new collection only.
        gallery: where the collection is.
        work: what to do.
        may_be_new: whether the collection may be absent; `work` then gets the analyser as it is,
            held to the space of the embedder that it has now.

    Raises:
        CollectionNotFoundError: there is no such collection.
        ModelNotFoundError: no model at hand has its space; the hint says what to get.
    """
    for _ in range(_ATTEMPTS - 1):
        space = _space(collection, analyser, gallery, may_be_new=may_be_new)
        try:
            return work(analyser.in_space(space))
        except EmbeddingSpaceError:
            if _space(collection, analyser, gallery, may_be_new=may_be_new) == space:
                raise
    space = _space(collection, analyser, gallery, may_be_new=may_be_new)
    return work(analyser.in_space(space))


def default_threshold(analyser: Analyser, space: EmbeddingSpace) -> float:
    """Return the similarity from which two faces of a space are one person, as its model says.

    Where no model of that space is at hand, it is the general default.
    """
    try:
        return analyser.in_space(space).recognition.threshold
    except ModelNotFoundError:
        return RecognitionSpec().threshold


def _space(
    collection: str, analyser: Analyser, gallery: GalleryRepo, *, may_be_new: bool
) -> EmbeddingSpace:
    try:
        return gallery.collection(collection).space
    except CollectionNotFoundError:
        if not may_be_new:
            raise
    with analyser.hold_embedder() as embedder:
        return embedder.model.space
