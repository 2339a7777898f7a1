"""Collections follow the model."""

import attrs
import pytest

from facecv.adapters.galleries.memory import MemoryGallery
from facecv.core.embedding import EmbeddingSpace
from facecv.core.errors import CollectionNotFoundError, EmbeddingSpaceError, ModelNotFoundError
from facecv.core.gallery import Collection
from facecv.core.pack import RecognitionSpec
from facecv.core.services.analyse import Analyser
from facecv.core.services.follow import default_threshold, following
from facecv.core.services.migrate import Migrator
from tests.core.services.migrating import NEW, OLD, analyser, crop, fill, record


@pytest.fixture
def gallery() -> MemoryGallery:
    gallery = MemoryGallery()
    fill(gallery, [record(number) for number in range(5)])
    return gallery


def embed(held: Analyser) -> EmbeddingSpace:
    """Return the space that an analyser embeds in."""
    (embedding,) = held.embed_crops(crop(0)[None])
    return embedding.space


def test_the_space_is_the_collections_whatever_the_default_is(gallery: MemoryGallery) -> None:
    looking = analyser()
    looking.embedder.switch("new")
    assert embed(looking) == NEW.space
    assert following("team", looking, gallery, embed) == OLD.space


def test_work_is_done_again_where_the_collection_was_migrated_meanwhile(
    gallery: MemoryGallery,
) -> None:
    looking, spaces = analyser(), []

    def work(held: Analyser) -> str:
        spaces.append(embed(held))
        if len(spaces) == 1:
            Migrator(looking, gallery).migrate("team", "new")
        if spaces[-1] != gallery.collection("team").space:
            raise EmbeddingSpaceError("mixed")
        return "done"

    assert following("team", looking, gallery, work) == "done"
    assert spaces == [OLD.space, NEW.space]


def test_an_error_that_no_migration_explains_is_raised(gallery: MemoryGallery) -> None:
    calls = []

    def work(held: Analyser) -> None:
        calls.append(held)
        raise EmbeddingSpaceError("mixed")

    with pytest.raises(EmbeddingSpaceError):
        following("team", analyser(), gallery, work)
    assert len(calls) == 1


class TestNewCollection:
    """A collection that may be new is made in the space of the embedder of now."""

    def test_one_space_from_beginning_to_end(self, gallery: MemoryGallery) -> None:
        looking = analyser()

        def work(held: Analyser) -> EmbeddingSpace:
            looking.embedder.switch("new")
            return embed(held)

        assert following("fresh", looking, gallery, work, may_be_new=True) == OLD.space

    def test_one_that_somebody_else_made_meanwhile_decides(self, gallery: MemoryGallery) -> None:
        def work(held: Analyser) -> EmbeddingSpace:
            space = embed(held)
            if space == OLD.space:
                gallery.create_collection(Collection("fresh", NEW.space))
                raise EmbeddingSpaceError("mixed")
            return space

        assert following("fresh", analyser(), gallery, work, may_be_new=True) == NEW.space

    def test_otherwise_it_must_be_there(self, gallery: MemoryGallery) -> None:
        with pytest.raises(CollectionNotFoundError):
            following("fresh", analyser(), gallery, embed)


def test_a_space_of_no_model_at_hand_is_named(gallery: MemoryGallery) -> None:
    stranger = attrs.evolve(OLD.space, model="stranger")
    gallery.create_collection(Collection("theirs", stranger))
    with pytest.raises(ModelNotFoundError, match="stranger"):
        following("theirs", analyser(), gallery, embed)
    assert default_threshold(analyser(), stranger) == RecognitionSpec().threshold
