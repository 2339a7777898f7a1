"""Moving a collection to another model, while it is searched."""

from collections.abc import Callable

import attrs
import numpy as np
import pytest

from facecv.adapters.galleries.memory import MemoryGallery
from facecv.core.errors import (
    AlreadyExistsError,
    CollectionNotFoundError,
    CropsMissingError,
    ModelNotFoundError,
)
from facecv.core.gallery import Counts, FaceRecord, Person, SearchQuery
from facecv.core.services.migrate import MigrateOptions, Migrator, staging_name
from facecv.core.services.registry import Registry
from tests.core.services.migrating import NEW, OLD, analyser, crop, embedded, fill, plan, record

SMALL = MigrateOptions(batch=4)


class StopError(Exception):
    """Ends a migration."""


@pytest.fixture
def gallery() -> MemoryGallery:
    """Return a gallery with a team of four, five faces each."""
    gallery = MemoryGallery()
    fill(gallery, [record(number) for number in range(20)])
    return gallery


@pytest.fixture
def migrator(gallery: MemoryGallery) -> Migrator:
    return Migrator(analyser(), gallery)


def check_all_new(gallery: MemoryGallery, count: int) -> None:
    """Check that every face is in the new space, and is what its crop gives there."""
    records = [face for _, face in gallery.faces("team")]
    assert len(records) == count
    for face in records:
        assert face.crop is not None
        assert face.embedding.space == NEW.space
        np.testing.assert_allclose(
            face.embedding.vector, embedded(NEW, face.crop).vector, atol=1e-6
        )


def test_every_face_is_embedded_anew_and_all_else_stays(
    gallery: MemoryGallery, migrator: Migrator
) -> None:
    before = {face.id: (person, face) for person, face in gallery.faces("team")}
    persons = gallery.persons("team")
    told: list[tuple[int, int]] = []
    migration = migrator.migrate("team", "new", SMALL, lambda *at: told.append(at))
    check_all_new(gallery, 20)
    for person, face in gallery.faces("team"):
        old_person, old = before[face.id]
        assert person == old_person
        same = attrs.evolve(face, embedding=old.embedding)
        for name in ("source", "digest", "quality", "created", "id"):
            assert getattr(same, name) == getattr(old, name)
    assert gallery.persons("team") == persons
    assert [each.name for each in gallery.collections()] == ["team"]
    assert (migration.embedded, migration.dropped) == (20, ())
    assert migration.before == OLD.space
    assert migration.collection == gallery.collection("team")
    assert told[0] == (0, 20)
    assert told[-1] == (20, 20)
    assert told == sorted(told)


def test_the_threshold_of_the_old_model_goes_and_is_told(
    gallery: MemoryGallery, migrator: Migrator
) -> None:
    migration = migrator.migrate("team", "new", SMALL)
    assert migration.threshold == 0.9
    assert gallery.collection("team").threshold is None
    assert gallery.collection("team").margin == 0.01


def test_a_migration_to_where_it_is_does_nothing(
    gallery: MemoryGallery, migrator: Migrator
) -> None:
    assert migrator.migrate("team", "old").embedded == 0
    assert gallery.collection("team").threshold == 0.9


def test_one_that_was_cut_short_goes_on(gallery: MemoryGallery, migrator: Migrator) -> None:
    for stop_at in (4, 12):

        def stop(done: int, _: int, at: int = stop_at) -> None:
            if done >= at:
                raise StopError

        with pytest.raises(StopError):
            migrator.migrate("team", "new", SMALL, stop)
        assert gallery.collection("team").space == OLD.space
        assert gallery.count(staging_name("team")).faces == stop_at
    assert migrator.migrate("team", "new", SMALL).embedded == 8
    check_all_new(gallery, 20)


def test_searches_find_the_same_person_before_while_and_after(
    gallery: MemoryGallery, migrator: Migrator
) -> None:
    def look(*_: object) -> None:
        with_model = OLD if gallery.collection("team").space == OLD.space else NEW
        ((match,),) = gallery.search("team", [embedded(with_model, crop(7))], SearchQuery(top_k=1))
        assert (match.face_id, match.person.id) == ("f000007", "p000005")
        assert match.similarity == pytest.approx(1)

    migrator.migrate("team", "new", SMALL, look)
    look()


class TestChangesMeanwhile:
    """What happens to the collection while it is migrated happens to the result."""

    CHANGES: tuple[Callable[[MemoryGallery], object], ...] = (
        lambda g: g.add_person("team", Person("Late", id="late"), [record(100)]),
        lambda g: g.add_faces("team", "p000000", [record(101)]),
        lambda g: g.add_person("team", Person("No faces", id="a-empty"), []),
        lambda g: g.delete_face("team", "f000001"),
        lambda g: g.delete_person("team", "p000005"),
        lambda g: g.update_person("team", Person("Renamed", id="p000010")),
        lambda g: g.update_collection(attrs.evolve(g.collection("team"), metadata={"v": 2})),
    )

    @pytest.mark.parametrize("change", CHANGES)
    @pytest.mark.parametrize("when", [4, 20])
    def test_is_taken_over(
        self,
        gallery: MemoryGallery,
        migrator: Migrator,
        change: Callable[[MemoryGallery], object],
        when: int,
    ) -> None:
        done_it: list[int] = []

        def meddle(done: int, _: int) -> None:
            if done >= when and not done_it:
                done_it.append(done)
                change(gallery)
                wanted.extend(self._state(gallery))

        wanted: list[object] = []
        migrator.migrate("team", "new", SMALL, meddle)
        assert self._state(gallery) == wanted
        check_all_new(gallery, gallery.count("team").faces)

    @staticmethod
    def _state(gallery: MemoryGallery) -> list[object]:
        names = [(person.id, person.name) for person in gallery.persons("team")]
        own = gallery.collection("team")
        return [names, sorted(gallery.face_ids("team")), own.metadata, own.created]


class TestWithoutCrops:
    """Faces that cannot be embedded anew are named; nothing is dropped unless that was asked."""

    @pytest.fixture(autouse=True)
    def cropless(self, gallery: MemoryGallery) -> list[FaceRecord]:
        """Add two faces without crops."""
        faces = [record(number, with_crop=False) for number in (50, 51)]
        gallery.add_faces("team", "p000010", faces)
        return faces

    def test_they_stop_it_and_are_listed(self, gallery: MemoryGallery, migrator: Migrator) -> None:
        with pytest.raises(CropsMissingError, match="2 of the faces") as caught:
            migrator.migrate("team", "new", SMALL)
        assert caught.value.details["faces"] == [["p000010", "f000050"], ["p000010", "f000051"]]
        assert gallery.collection("team").space == OLD.space
        assert gallery.count("team") == Counts(4, 22)

    def test_once_they_are_gone_it_goes_on(
        self, gallery: MemoryGallery, migrator: Migrator
    ) -> None:
        with pytest.raises(CropsMissingError):
            migrator.migrate("team", "new", SMALL)
        for face in ("f000050", "f000051"):
            gallery.delete_face("team", face)
        assert migrator.migrate("team", "new", SMALL).embedded == 0
        check_all_new(gallery, 20)

    def test_they_may_be_left_behind(self, gallery: MemoryGallery, migrator: Migrator) -> None:
        options = attrs.evolve(SMALL, drop_without_crop=True)
        migration = migrator.migrate("team", "new", options)
        assert migration.dropped == (("p000010", "f000050"), ("p000010", "f000051"))
        check_all_new(gallery, 20)


def test_a_migration_to_a_third_model_is_refused(
    gallery: MemoryGallery, migrator: Migrator
) -> None:
    gallery.create_collection(
        attrs.evolve(
            gallery.collection("team"),
            name=staging_name("team"),
            space=attrs.evolve(NEW.space, model="third"),
        )
    )
    with pytest.raises(AlreadyExistsError, match="third"):
        migrator.migrate("team", "new")


def test_what_is_not_there_is_not_migrated(migrator: Migrator) -> None:
    with pytest.raises(CollectionNotFoundError):
        migrator.migrate("nowhere", "new")
    with pytest.raises(ModelNotFoundError):
        migrator.migrate("team", "unknown")


def test_the_default_embedder_is_meant_by_no_name(gallery: MemoryGallery) -> None:
    looking = attrs.evolve(analyser(), embedder=Registry(plan, "new"))
    Migrator(looking, gallery).migrate("team", "", SMALL)
    check_all_new(gallery, 20)
