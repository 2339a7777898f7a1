"""One person or two."""

import numpy as np
import pytest

from facecv.core.embedding import Embedding, EmbeddingSpace
from facecv.core.errors import EmbeddingSpaceError
from facecv.core.image import Image
from facecv.core.services.analyse import Want
from facecv.core.services.verify import Verifier
from tests.core.services.world import WorldDetector, analyser, cosine, picture

ADA = Image(picture((10, 10, 100, 20)))
ADA_AGAIN = Image(picture((90, 90, 60, 30), (200, 200, 40, 250)))
EVE = Image(picture((10, 10, 100, 220)))
NOBODY = Image(picture())


def test_the_largest_faces_are_compared() -> None:
    answer = Verifier(analyser()).verify(ADA, ADA_AGAIN)
    assert answer.match
    assert answer.similarity == pytest.approx(cosine(20, 30), abs=1e-4)
    assert answer.threshold == 0.4
    assert answer.missing == ()


def test_strangers_do_not_match() -> None:
    answer = Verifier(analyser()).verify(ADA, EVE)
    assert not answer.match
    assert answer.similarity == pytest.approx(cosine(20, 220), abs=1e-4)


def test_the_threshold_is_inclusive_and_the_caller_s_wins() -> None:
    exact = Verifier(analyser()).verify(ADA, EVE).similarity
    assert exact is not None
    assert Verifier(analyser(), threshold=0.9).verify(ADA, EVE, threshold=exact).match
    assert not Verifier(analyser(), threshold=0.9).verify(ADA, EVE).match
    assert Verifier(analyser(), threshold=exact).verify(ADA, EVE).match


@pytest.mark.parametrize(("pair", "missing"), [((ADA, NOBODY), (1,)), ((NOBODY, NOBODY), (0, 1))])
def test_a_missing_face_is_an_answer(pair: tuple[Image, Image], missing: tuple[int, ...]) -> None:
    answer = Verifier(analyser()).verify(*pair)
    assert (answer.match, answer.similarity, answer.missing) == (False, None, missing)


def test_faces_without_landmarks_cannot_be_compared() -> None:
    answer = Verifier(analyser(detector=WorldDetector(landmarks=False))).verify(ADA, ADA_AGAIN)
    assert answer.missing == (0, 1)


def test_an_embedding_stands_for_a_picture() -> None:
    ours = analyser()
    [[face]] = ours.analyse([ADA], Want())
    assert face.embedding
    answer = Verifier(ours).verify(face.embedding, EVE)
    assert answer.similarity == pytest.approx(cosine(20, 220), abs=1e-4)
    assert answer.faces[0] is None
    assert answer.missing == ()
    assert Verifier(ours).verify(face.embedding, NOBODY).missing == (1,)


def test_an_embedding_of_another_space_is_refused() -> None:
    stranger = Embedding(np.array([1, 0], np.float32), EmbeddingSpace("other", 2, "1" * 64, "none"))
    with pytest.raises(EmbeddingSpaceError):
        Verifier(analyser()).verify(stranger, ADA)
