"""What galleries promise about persons and their faces."""

from collections.abc import Callable
from datetime import UTC, datetime

import attrs
import numpy as np
import pytest

from facecv.core.errors import (
    AlreadyExistsError,
    EmbeddingSpaceError,
    FaceRecordNotFoundError,
    InputError,
    PersonNotFoundError,
)
from facecv.core.gallery import Counts, FaceRecord, Metadata, MetadataValue, Person, SearchQuery
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.plugins.contracts.gallery.examples import (
    OTHER_SPACE,
    GalleryFixtures,
    embedding,
    enrol,
    face,
    ids,
)


class PersonPromises(GalleryFixtures):
    """Persons are added, changed, listed and deleted."""

    def test_a_person_comes_back_as_it_went_in(self, team: GalleryRepo) -> None:
        """Every value of a person is kept exactly."""
        ann = Person(
            "Ånn 李",
            id="a-1",
            metadata={"desk": 4, "vip": False, "x": 1e-9},
            created=datetime(2020, 1, 2, tzinfo=UTC),
        )
        team.add_person("team", ann, [])
        assert team.person("team", "a-1") == ann
        assert team.count("team") == Counts(persons=1, faces=0)

    def test_what_was_stored_does_not_change_with_the_callers_dict(self, team: GalleryRepo) -> None:
        """Metadata is copied."""
        metadata: dict[str, int] = {"desk": 4}
        enrol(team, "ann", metadata=metadata)
        metadata["desk"] = 5
        assert team.person("team", "ann").metadata == {"desk": 4}

    def test_a_persons_id_is_taken_once(self, team: GalleryRepo) -> None:
        """A second person of an id is refused, faces included."""
        enrol(team, "ann", face(1, id="f"))
        with pytest.raises(AlreadyExistsError, match="ann"):
            enrol(team, "ann", face(0, 1))
        assert [record.id for _, record in team.faces("team")] == ["f"]

    def test_many_persons_are_added_at_once(self, team: GalleryRepo) -> None:
        """Persons and faces are there, in the order given, as if added one by one."""
        zoe, ann = Person("Zoe", id="zoe", metadata={"a": 1}), Person("Ann", id="ann")
        team.add_persons("team", [(zoe, [face(1, id="f")]), (ann, [face(1), face(0, 1)])])
        enrol(team, "bob", face(1))
        assert team.count("team") == Counts(persons=3, faces=4)
        assert team.persons("team", where={"a": 1}) == [zoe]
        assert [owner for owner, _ in team.faces("team")] == ["ann", "ann", "bob", "zoe"]
        [found] = team.search("team", [embedding(1)], SearchQuery())
        assert ids(found) == ["zoe", "ann", "bob"]

    @pytest.mark.parametrize(("person_id", "face_id"), [("ann", "g"), ("cyd", "f"), ("bob", "g")])
    def test_of_many_persons_all_are_added_or_none(
        self, team: GalleryRepo, person_id: str, face_id: str
    ) -> None:
        """The id that is taken, before or among them, is named."""
        enrol(team, "ann", face(1, id="f"))
        bob, other = Person("Bob", id="bob"), Person("Other", id=person_id)
        taken = "f" if face_id == "f" else person_id
        with pytest.raises(AlreadyExistsError, match=f"'{taken}'"):
            team.add_persons("team", [(bob, [face(1)]), (other, [face(1, id=face_id)])])
        assert team.count("team") == Counts(persons=1, faces=1)

    def test_two_persons_may_share_a_name(self, team: GalleryRepo) -> None:
        """A name finds everybody of exactly that name."""
        for person_id in ("2", "1", "3"):
            team.add_person("team", Person("Ann" if person_id != "3" else "Bob", id=person_id), [])
        assert [person.id for person in team.persons("team", name="Ann")] == ["1", "2"]
        assert team.persons("team", name="ann") == []

    def test_persons_are_found_by_their_metadata(self, team: GalleryRepo) -> None:
        """All values must be there; true is not 1, and what changed counts as it is now."""
        known: list[Metadata] = [{"a": 1, "b": "x"}, {"a": 1}, {"a": True}, {}]
        for number, metadata in enumerate(known):
            team.add_person("team", Person("Ann", id=str(number), metadata=metadata), [])

        def found(**where: MetadataValue) -> list[str]:
            return [person.id for person in team.persons("team", where=where)]

        assert found(a=1) == ["0", "1"]
        assert found(a=1, b="x") == ["0"]
        assert found(b=None) == []
        assert [each.id for each in team.persons("team", where={"a": 1}, after="0")] == ["1"]
        team.update_person("team", Person("Ann", id="1", metadata={"a": 2}))
        assert found(a=1) == ["0"]

    def test_persons_come_by_id_a_page_at_a_time(self, team: GalleryRepo) -> None:
        """Pages follow one another without gap or repetition."""
        everyone = sorted(["b", "a10", "a2", "C", "ä", "z"])
        for person_id in reversed(everyone):
            enrol(team, person_id)
        assert [person.id for person in team.persons("team")] == everyone
        pages, after = [], ""
        while page := team.persons("team", after=after, limit=4):
            pages.append([person.id for person in page])
            after = page[-1].id
        assert pages == [everyone[:4], everyone[4:]]

    def test_updating_a_person_keeps_birth_and_faces(self, team: GalleryRepo) -> None:
        """An update replaces name and metadata only."""
        ann = enrol(team, "ann", face(1), metadata={"old": 1})
        changed = Person("Anna", id="ann", metadata={"new": True})
        team.update_person("team", changed)
        assert team.person("team", "ann") == attrs.evolve(changed, created=ann.created)
        [[match]] = team.search("team", [embedding(1)], SearchQuery(where={"new": True}))
        assert match.person.name == "Anna"

    def test_ids_that_cannot_be_are_nobodys(self, team: GalleryRepo) -> None:
        """Whatever a caller looks for, only errors of the engine come back."""
        for odd in ("", "\udcff", "'; DROP TABLE persons", "\0", "a" * 10_000):
            with pytest.raises((PersonNotFoundError, InputError)):
                team.person("team", odd)
            with pytest.raises((FaceRecordNotFoundError, InputError)):
                team.delete_face("team", odd)

    def test_a_deleted_person_takes_the_faces_with_them(self, team: GalleryRepo) -> None:
        """A deleted person is found no more."""
        enrol(team, "ann", face(1), face(1, 1))
        enrol(team, "bob", face(0, 1))
        team.search("team", [embedding(1)], SearchQuery())
        team.delete_person("team", "ann")
        assert team.count("team") == Counts(1, 1)
        assert ids(team.search("team", [embedding(1)], SearchQuery())[0]) == ["bob"]

    @pytest.mark.parametrize(
        "call",
        [
            lambda g: g.person("team", "nobody"),
            lambda g: g.update_person("team", Person("X", id="nobody")),
            lambda g: g.delete_person("team", "nobody"),
            lambda g: g.add_faces("team", "nobody", [face(1)]),
            lambda g: list(g.faces("team", "nobody")),
        ],
    )
    def test_a_missing_person_is_an_error(
        self, team: GalleryRepo, call: Callable[[GalleryRepo], object]
    ) -> None:
        """Every method says that a person is not there."""
        with pytest.raises(PersonNotFoundError, match="nobody"):
            call(team)


class FacePromises(GalleryFixtures):
    """Faces are added, read and deleted."""

    def test_a_face_comes_back_as_it_went_in(self, team: GalleryRepo) -> None:
        """Every value of a face is kept exactly, the crop's pixels too."""
        crop = np.random.default_rng(0).integers(0, 256, (112, 112, 3), np.uint8)
        record = FaceRecord(
            attrs.evolve(embedding(1, 2, 3, 4), norm=21.5),
            id="f-1",
            source="photo \udcff.jpg",
            digest="ab" * 32,
            quality=0.1 + 0.2,
            crop=crop,
            created=datetime(2020, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        )
        enrol(team, "ann", record, face(1, id="plain"))
        [(owner, found), (_, plain)] = team.faces("team", "ann")
        assert owner == "ann"
        assert found.embedding == record.embedding
        assert np.array_equal(found.crop, crop)  # type: ignore[arg-type]
        for name in ("id", "source", "digest", "quality", "created"):
            assert getattr(found, name) == getattr(record, name)
        assert (plain.crop, plain.quality, plain.source) == (None, None, "")

    def test_a_stored_crop_does_not_change_with_the_callers_array(self, team: GalleryRepo) -> None:
        """Crops are copied."""
        crop = np.zeros((112, 112, 3), np.uint8)
        enrol(team, "ann", face(1, crop=crop))
        crop[:] = 255
        [(_, found)] = team.faces("team")
        assert found.crop is not None
        assert not found.crop.any()

    def test_faces_come_by_person_then_by_id(self, team: GalleryRepo) -> None:
        """Faces are read by rising person id, then face id."""
        enrol(team, "bob", face(1, id="1"))
        enrol(team, "ann", face(1, id="9"), face(1, id="10"))
        team.add_faces("team", "bob", [face(1, id="0")])
        everyone = [("ann", "10"), ("ann", "9"), ("bob", "0"), ("bob", "1")]
        assert [(owner, record.id) for owner, record in team.faces("team")] == everyone
        assert [record.id for _, record in team.faces("team", "bob")] == ["0", "1"]

    def test_many_faces_come_back_once_each(self, team: GalleryRepo) -> None:
        """However faces are paged inside, each is read once."""
        names = [f"{number:04}" for number in range(700)]
        enrol(team, "ann", *(face(1, id=name) for name in names[:300]))
        enrol(team, "bob", *(face(1, id=name) for name in names[300:]))
        assert [record.id for _, record in team.faces("team")] == names
        assert [record.id for _, record in team.faces("team", "bob")] == names[300:]

    def test_a_face_may_be_deleted_while_faces_are_read(self, team: GalleryRepo) -> None:
        """Reading and deleting do not get in each other's way."""
        enrol(team, "ann", *(face(1) for _ in range(600)))
        for _, record in team.faces("team"):
            team.delete_face("team", record.id)
        assert team.count("team") == Counts(persons=1, faces=0)

    def test_a_bad_third_face_leaves_nothing_behind(self, team: GalleryRepo) -> None:
        """Faces are added all or none, with their person or not."""
        strange = FaceRecord(embedding(1, space=OTHER_SPACE))
        with pytest.raises(EmbeddingSpaceError):
            enrol(team, "ann", face(1), face(0, 1), strange)
        with pytest.raises(AlreadyExistsError, match="twice"):
            enrol(team, "ann", face(1), face(0, 1, id="twice"), face(0, 0, 1, id="twice"))
        assert team.persons("team") == []
        enrol(team, "ann", face(1))
        with pytest.raises(EmbeddingSpaceError):
            team.add_faces("team", "ann", [face(0, 1), strange])
        assert team.count("team") == Counts(1, 1)
        found = team.search("team", [embedding(0, 1)], SearchQuery(threshold=0.5))
        assert found == [[]]

    def test_a_faces_id_is_taken_once_in_a_collection(self, team: GalleryRepo) -> None:
        """A second face of an id is refused, whoever's it is."""
        enrol(team, "ann", face(1, id="f"))
        with pytest.raises(AlreadyExistsError, match="f"):
            enrol(team, "bob", face(1, id="f"))
        with pytest.raises(AlreadyExistsError, match="f"):
            team.add_faces("team", "ann", [face(0, 1, id="g"), face(1, id="f")])
        assert team.count("team") == Counts(1, 1)

    def test_a_deleted_face_leaves_its_person(self, team: GalleryRepo) -> None:
        """A person stays when the last face goes."""
        enrol(team, "ann", face(1, id="f"), face(0, 1, id="g"))
        team.delete_face("team", "f")
        assert [record.id for _, record in team.faces("team", "ann")] == ["g"]
        [[match]] = team.search("team", [embedding(1)], SearchQuery())
        assert match.face_id == "g"
        assert match.similarity == pytest.approx(0.0, abs=1e-6)
        team.delete_face("team", "g")
        assert team.search("team", [embedding(1)], SearchQuery()) == [[]]
        assert team.person("team", "ann").name == "Ann"

    def test_a_missing_face_is_an_error(self, team: GalleryRepo) -> None:
        """Deleting a face that is not there is refused."""
        with pytest.raises(FaceRecordNotFoundError, match="nothing"):
            team.delete_face("team", "nothing")
