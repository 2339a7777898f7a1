"""What galleries promise about collections that take the place of others."""

import attrs
import pytest

from facecv.core.errors import CollectionNotFoundError
from facecv.core.gallery import Collection, Counts, FaceRecord, Person, SearchQuery
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.plugins.contracts.gallery.examples import (
    OTHER_SPACE,
    SPACE,
    GalleryFixtures,
    embedding,
    enrol,
    face,
    ids,
)
from facecv.plugins.contracts.gallery.transactions import undone

NEXT = Collection("next", attrs.evolve(OTHER_SPACE, dim=16), store_crops=True, metadata={"v": 2})


class ReplacePromises(GalleryFixtures):
    """A collection takes the name of another one."""

    @pytest.fixture
    def two(self, team: GalleryRepo) -> GalleryRepo:
        """Return a gallery with Ann in the team and Bob in the collection that is to replace it."""
        enrol(team, "ann", face(1, id="f"), face(0, 1, id="g"))
        team.create_collection(NEXT)
        record = FaceRecord(embedding(1, space=NEXT.space), id="f")
        team.add_person(NEXT.name, Person("Bob", id="bob"), [record])
        return team

    def test_the_other_goes_by_the_name(self, two: GalleryRepo) -> None:
        """All that is left is the other collection, under the name of the first."""
        two.search("team", [embedding(1)], SearchQuery())
        two.replace_collection("team", "next")
        assert two.collections() == [attrs.evolve(NEXT, name="team")]
        assert two.count("team") == Counts(1, 1)
        found = two.search("team", [embedding(1, space=NEXT.space)], SearchQuery())
        assert ids(found[0]) == ["bob"]
        with pytest.raises(CollectionNotFoundError):
            two.collection("next")

    def test_by_itself_it_changes_nothing(self, two: GalleryRepo) -> None:
        """A collection may take its own place."""
        two.replace_collection("team", "team")
        assert two.count("team") == Counts(1, 2)
        assert two.collection("team").space == SPACE

    def test_it_can_be_undone(self, two: GalleryRepo) -> None:
        """A transaction that fails leaves both as they were."""
        with undone(two):
            two.replace_collection("team", "next")
            assert two.collection("team").space == NEXT.space
        assert [each.name for each in two.collections()] == ["next", "team"]
        assert ids(two.search("team", [embedding(1)], SearchQuery())[0]) == ["ann"]

    @pytest.mark.parametrize("names", [("team", "nowhere"), ("nowhere", "team")])
    def test_both_must_be_there(self, two: GalleryRepo, names: tuple[str, str]) -> None:
        """What is not there replaces nothing, and is not replaced."""
        with pytest.raises(CollectionNotFoundError, match="nowhere"):
            two.replace_collection(*names)
        assert two.count("team") == Counts(1, 2)

    def test_ids_come_in_the_order_of_faces(self, two: GalleryRepo) -> None:
        """Ids of persons and faces can be had alone."""
        enrol(two, "abe", face(1, id="z"), face(1, 1, id="a"))
        listed = list(two.face_ids("team"))
        assert listed == [(person, record.id) for person, record in two.faces("team")]
        assert listed == [("abe", "a"), ("abe", "z"), ("ann", "f"), ("ann", "g")]
        with pytest.raises(CollectionNotFoundError):
            list(two.face_ids("nowhere"))
