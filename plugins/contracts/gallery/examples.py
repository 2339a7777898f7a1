"""Small collections, persons and faces to state the promises with."""

import attrs
import numpy as np
import pytest

from facecv.core.embedding import Embedding, EmbeddingSpace, normalized
from facecv.core.gallery import Collection, FaceRecord, Match, Metadata, Person
from facecv.core.ports.gallery_repo import GalleryRepo

SPACE = EmbeddingSpace("contract", 8, "0" * 64, "test")
OTHER_SPACE = attrs.evolve(SPACE, digest="1" * 64)
TEAM = Collection("team", SPACE)


def embedding(*numbers: float, space: EmbeddingSpace = SPACE) -> Embedding:
    """Return the direction of `numbers`, filled up with zeros."""
    row = np.zeros((1, space.dim), np.float32)
    row[0, : len(numbers)] = numbers
    return Embedding(normalized(row)[0][0], space)


def at(cosine: float) -> Embedding:
    """Return an embedding at that cosine from `embedding(1)`."""
    return embedding(cosine, float(np.sqrt(1 - cosine**2)))


def face(*numbers: float, **facts: object) -> FaceRecord:
    """Return a face whose embedding is the direction of `numbers`."""
    return FaceRecord(embedding(*numbers), **facts)  # type: ignore[arg-type]


def enrol(
    gallery: GalleryRepo, person_id: str, *faces: FaceRecord, metadata: Metadata | None = None
) -> Person:
    """Add a person to the team."""
    person = Person(person_id.title(), id=person_id, metadata=metadata or {})
    gallery.add_person(TEAM.name, person, faces)
    return person


def ids(matches: list[Match]) -> list[str]:
    """Return whom a search found."""
    return [match.person.id for match in matches]


class GalleryFixtures:
    """The fixtures of all promises."""

    @pytest.fixture
    def gallery(self) -> GalleryRepo:
        """Return an empty gallery."""
        raise NotImplementedError

    @pytest.fixture
    def team(self, gallery: GalleryRepo) -> GalleryRepo:
        """Return a gallery with an empty collection of `SPACE`."""
        gallery.create_collection(TEAM)
        return gallery
