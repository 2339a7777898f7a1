"""From embeddings of known persons to counted similarities."""

import numpy as np
import pytest

from facecv.core.embedding import Embedding, EmbeddingSpace, normalized
from facecv.core.errors import InputError
from facecv.core.evaluation import Roc, ScoreCounts
from facecv.core.services.evaluate import count_all_pairs, similarities

SPACE = EmbeddingSpace("toy", 8, "0" * 64, "none")


def embeddings(count: int, seed: int = 1) -> list[Embedding | None]:
    rows = np.random.default_rng(seed).normal(size=(count, 8)).astype(np.float32)
    return [Embedding(vector, SPACE) for vector in normalized(rows)[0]]


def test_similarity_of_a_missing_face_is_not_a_number() -> None:
    one, two = embeddings(2)
    assert one
    assert two
    cosines = similarities([one, None, two], [(0, 2), (0, 1)])
    assert cosines[0] == pytest.approx(one.cosine(two))
    assert np.isnan(cosines[1])


@pytest.mark.parametrize("block", [1, 50, 10_000])
def test_all_pairs_are_counted_as_one_by_one(block: int) -> None:
    """Blocks of any size count what a plain loop over all pairs counts."""
    faces = [*embeddings(30), None]
    persons = [f"person {index % 7}" for index in range(31)]
    pairs = [(i, j) for i in range(31) for j in range(i)]
    same = [persons[i] == persons[j] for i, j in pairs]
    exact = ScoreCounts.of_pairs(similarities(faces, pairs), same)
    counted = count_all_pairs(faces, persons, block)
    assert counted.missed == exact.missed == 4
    assert counted.genuine.sum() == exact.genuine.sum()
    assert counted.impostor.sum() == exact.impostor.sum()
    for far in (0.01, 0.1, 0.5):
        one, other = Roc.of(counted).at_far(far), Roc.of(exact).at_far(far)
        assert (one.far, one.tar) == (other.far, other.tar)
        assert one.threshold == pytest.approx(other.threshold, abs=2e-5)


def test_a_single_picture_of_each_person_has_no_genuine_pair() -> None:
    with pytest.raises(InputError, match="one person"):
        count_all_pairs(embeddings(3), ["a", "b", "c"])


def test_every_embedding_needs_a_person() -> None:
    with pytest.raises(InputError, match="do not fit"):
        count_all_pairs(embeddings(3), ["a", "b"])
