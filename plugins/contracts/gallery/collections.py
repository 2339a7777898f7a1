"""What galleries promise about collections."""

from collections.abc import Callable
from datetime import UTC, datetime

import attrs
import pytest

from facecv.core.errors import (
    AlreadyExistsError,
    CollectionNotFoundError,
    EmbeddingSpaceError,
)
from facecv.core.gallery import Collection, Counts, Person, SearchQuery
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.plugins.contracts.gallery.examples import (
    OTHER_SPACE,
    SPACE,
    TEAM,
    GalleryFixtures,
    embedding,
    enrol,
    face,
    ids,
)


class CollectionPromises(GalleryFixtures):
    """Collections are made, changed, listed and deleted."""

    def test_a_collection_comes_back_as_it_went_in(self, gallery: GalleryRepo) -> None:
        """Every value of a collection is kept exactly."""
        made = Collection(
            "staff-2.x",
            SPACE,
            threshold=0.35,
            margin=0.05,
            gate="strict",
            store_crops=True,
            metadata={"city": "Köln \udc80", "n": 2**62, "x": 0.1 + 0.2, "b": True, "none": None},
            created=datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC),
        )
        gallery.create_collection(made)
        found = gallery.collection(made.name)
        assert found == made
        assert found.metadata["b"] is True

    def test_collections_come_by_name(self, gallery: GalleryRepo) -> None:
        """Collections are listed by rising name."""
        assert gallery.collections() == []
        for name in ("b", "a", "C"):
            gallery.create_collection(Collection(name, SPACE))
        assert [collection.name for collection in gallery.collections()] == ["C", "a", "b"]

    def test_a_collections_name_is_taken_once(self, team: GalleryRepo) -> None:
        """A second collection of a name is refused."""
        with pytest.raises(AlreadyExistsError, match="team"):
            team.create_collection(attrs.evolve(TEAM, space=OTHER_SPACE))
        assert team.collection("team").space == SPACE

    def test_updating_a_collection_keeps_its_birth_and_its_people(self, team: GalleryRepo) -> None:
        """An update replaces settings only."""
        enrol(team, "ann", face(1))
        changed = Collection("team", SPACE, threshold=0.5, gate="off", metadata={"v": 2})
        team.update_collection(changed)
        assert team.collection("team") == attrs.evolve(changed, created=TEAM.created)
        assert team.count("team") == Counts(1, 1)

    def test_a_collection_never_changes_its_space(self, team: GalleryRepo) -> None:
        """An update to another space is refused."""
        with pytest.raises(EmbeddingSpaceError):
            team.update_collection(attrs.evolve(TEAM, space=OTHER_SPACE))
        assert team.collection("team").space == SPACE

    def test_a_deleted_collection_takes_its_people_with_it(self, team: GalleryRepo) -> None:
        """Nothing of a deleted collection is left."""
        enrol(team, "ann", face(1, id="f"))
        assert team.search("team", [embedding(1)], SearchQuery())[0]
        team.delete_collection("team")
        assert team.collections() == []
        team.create_collection(TEAM)
        assert team.count("team") == Counts(0, 0)
        assert team.search("team", [embedding(1)], SearchQuery()) == [[]]
        enrol(team, "ann", face(1, id="f"))  # the ids are free again
        assert ids(team.search("team", [embedding(1)], SearchQuery())[0]) == ["ann"]

    def test_a_name_may_return_with_another_space(self, team: GalleryRepo) -> None:
        """A new collection owes nothing to an old one of its name."""
        enrol(team, "ann", face(1))
        team.search("team", [embedding(1)], SearchQuery())
        team.delete_collection("team")
        wide = attrs.evolve(SPACE, dim=16)
        team.create_collection(Collection("team", wide))
        assert team.search("team", [embedding(1, space=wide)], SearchQuery()) == [[]]

    def test_collections_do_not_mix(self, team: GalleryRepo) -> None:
        """Ids, counts and searches are each collection's own."""
        team.create_collection(Collection("guests", SPACE))
        enrol(team, "ann", face(1, id="f"))
        team.add_person("guests", Person("Bob", id="ann"), [face(0, 1, id="f")])
        assert team.person("guests", "ann").name == "Bob"
        assert team.count("team") == team.count("guests") == Counts(1, 1)
        found = team.search("team", [embedding(0, 1)], SearchQuery(threshold=0.5))
        assert found == [[]]
        team.delete_face("guests", "f")
        assert team.count("team") == Counts(1, 1)

    @pytest.mark.parametrize(
        "call",
        [
            lambda g: g.collection("nowhere"),
            lambda g: g.update_collection(Collection("nowhere", SPACE)),
            lambda g: g.delete_collection("nowhere"),
            lambda g: g.add_person("nowhere", Person("Ann"), []),
            lambda g: g.add_persons("nowhere", []),
            lambda g: g.add_faces("nowhere", "ann", []),
            lambda g: g.person("nowhere", "ann"),
            lambda g: g.persons("nowhere"),
            lambda g: g.update_person("nowhere", Person("Ann")),
            lambda g: g.delete_person("nowhere", "ann"),
            lambda g: list(g.faces("nowhere")),
            lambda g: g.delete_face("nowhere", "f"),
            lambda g: g.count("nowhere"),
            lambda g: g.search("nowhere", [embedding(1)], SearchQuery()),
            lambda g: g.search("nowhere", [], SearchQuery()),
        ],
    )
    def test_a_missing_collection_is_an_error(
        self, gallery: GalleryRepo, call: Callable[[GalleryRepo], object]
    ) -> None:
        """Every method says that a collection is not there."""
        with pytest.raises(CollectionNotFoundError, match="nowhere"):
            call(gallery)
