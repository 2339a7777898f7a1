"""Measuring a pack: from pictures of known persons to similarities of pairs."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from facecv.core.embedding import Embedding
from facecv.core.errors import InputError
from facecv.core.evaluation import (
    FoldedAccuracy,
    Numbers,
    Roc,
    ScoreCounts,
    folded_accuracy,
    stratified_folds,
)
from facecv.core.image import ImageSource
from facecv.core.lfw import Picture, PicturePair
from facecv.core.services.analyse import Analyser, Want
from facecv.core.services.find import FindOptions

_STEPS = 100_000
"""Steps in which similarities of all pairs are counted, between 0 and 1."""
_BLOCK = 1 << 22
"""Similarities of one matrix product, at most (unless one row alone has more)."""


@attrs.define(eq=False)
class PictureEmbedder:
    """Embeds one face of each picture.

    Attributes:
        analyser: looks at the pictures.
        find: which faces; the first of each picture is taken.
        batch_size: pictures that are looked at together.
    """

    analyser: Analyser
    find: FindOptions
    batch_size: int = 16

    def embed(
        self, pictures: Sequence[ImageSource], done: Callable[[int], None] | None = None
    ) -> list[Embedding | None]:
        """Return the embedding of each picture; None where no face is found.

        Args:
            pictures: what to look at; read a batch at a time.
            done: called with the number of pictures of each finished batch.

        Raises:
            InputError: a picture cannot be read.
        """
        find = attrs.evolve(self.find, max_faces=1)
        found: list[Embedding | None] = []
        for batch in _batches(pictures, self.batch_size):
            images = [self.analyser.read(picture) for picture in batch]
            faces = self.analyser.analyse(images, Want(quality=False), find)
            found += [face[0].embedding if face else None for face in faces]
            if done:
                done(len(batch))
        return found


@attrs.frozen(eq=False)
class PairReport:
    """How well the persons of a list of pairs are told apart.

    Attributes:
        pictures: how many there are.
        faceless: those in which no face was found.
        same: pairs of one person in the list.
        different: pairs of two.
        unjudged: pairs of either kind that lack a face.
        accuracy: over the folds of the list, or over ten where it has none.
        roc: over the pairs of the list, or over all pairs of pictures.
        all_pairs: which of the two.
    """

    pictures: int
    faceless: tuple[Picture, ...]
    same: int
    different: int
    unjudged: int
    accuracy: FoldedAccuracy
    roc: Roc
    all_pairs: bool


def evaluate(
    pairs: Sequence[PicturePair],
    embeddings: Mapping[Picture, Embedding | None],
    *,
    all_pairs: bool = False,
) -> PairReport:
    """Return how well embeddings tell the persons of `pairs` apart.

    Args:
        pairs: the list.
        embeddings: of each of its pictures; None where no face was found. All of one space.
        all_pairs: take the curve from every pair of pictures instead of those of the list.

    Raises:
        InputError: a kind of pair is missing.
    """
    pictures, vectors = list(embeddings), list(embeddings.values())
    places = {picture: index for index, picture in enumerate(pictures)}
    scores = similarities(vectors, [(places[pair.one], places[pair.other]) for pair in pairs])
    same = [pair.same for pair in pairs]
    if all_pairs:
        counts = count_all_pairs(vectors, [picture.person for picture in pictures])
    else:
        counts = ScoreCounts.of_pairs(scores, same)
    return PairReport(
        pictures=len(pictures),
        faceless=tuple(picture for picture, found in embeddings.items() if found is None),
        same=sum(same),
        different=len(same) - sum(same),
        unjudged=int(np.isnan(scores).sum()),
        accuracy=folded_accuracy(scores, same, _folds(pairs)),
        roc=Roc.of(counts),
        all_pairs=all_pairs,
    )


def similarities(
    embeddings: Sequence[Embedding | None], pairs: Sequence[tuple[int, int]]
) -> Numbers:
    """Return the cosine of each pair of indices, float64 [N]; NaN where a face is missing."""
    cosines = np.full(len(pairs), np.nan)
    for index, (one, other) in enumerate(pairs):
        first, second = embeddings[one], embeddings[other]
        if first and second:
            cosines[index] = first.cosine(second)
    return cosines


def count_all_pairs(
    embeddings: Sequence[Embedding | None], persons: Sequence[str], block: int = _BLOCK
) -> ScoreCounts:
    """Count the similarities of every picture with every other, in steps of 0.00001.

    Args:
        embeddings: one a picture; None where no face was found. All of one space.
        persons: who each picture shows.
        block: similarities held in memory at a time.

    Raises:
        InputError: the lengths differ, or a kind of pair is missing.
    """
    if len(embeddings) != len(persons):
        raise InputError(f"{len(embeddings)} embeddings do not fit {len(persons)} persons")
    _, labels = np.unique(np.asarray(persons), return_inverse=True)
    found = np.array([item is not None for item in embeddings], dtype=bool)
    vectors = np.array([item.vector for item in embeddings if item], dtype=np.float32)
    counts = np.zeros((2, 2 * _STEPS + 1), dtype=np.int64)
    for same, bins in _binned(vectors, labels[found], block):
        for kind, chosen in enumerate((bins[same], bins[~same])):
            counts[kind] += np.bincount(chosen, minlength=counts.shape[1])
    missed = _genuine_pairs(labels) - int(counts[0].sum())
    values = np.arange(counts.shape[1]) / _STEPS - 1
    return ScoreCounts(values, counts[0], counts[1], missed)


def _folds(pairs: Sequence[PicturePair]) -> NDArray[np.intp]:
    """Return the fold of each pair: the list's own, else ten that hold as much of each kind."""
    own = [pair.fold for pair in pairs if pair.fold is not None]
    if len(own) == len(pairs):
        return np.array(own, dtype=np.intp)
    return stratified_folds([pair.same for pair in pairs])


def _binned(
    vectors: NDArray[np.float32], labels: NDArray[np.intp], block: int
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.int32]]]:
    """Yield, for blocks of pairs, whether each is genuine, and the step of its similarity."""
    total = len(vectors)
    rows = max(1, block // max(total, 1))
    for start in range(0, total, rows):
        part = vectors[start : start + rows]
        cosines = np.clip(part @ vectors[start:].T, -1, 1)
        later = np.triu(np.ones(cosines.shape, dtype=bool), k=1)
        same = labels[start : start + rows, None] == labels[None, start:]
        yield same[later], ((cosines[later] + 1) * _STEPS).astype(np.int32)


def _genuine_pairs(labels: NDArray[np.intp]) -> int:
    sizes = np.bincount(labels)
    return int((sizes * (sizes - 1) // 2).sum())


def _batches(pictures: Sequence[ImageSource], size: int) -> Iterator[tuple[ImageSource, ...]]:
    iterator = iter(pictures)
    while batch := tuple(itertools.islice(iterator, size)):
        yield batch
