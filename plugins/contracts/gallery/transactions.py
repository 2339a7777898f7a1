"""What galleries promise about transactions, threads and their end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import attrs
import numpy as np
import pytest

from facecv.core.errors import (
    AlreadyExistsError,
    GalleryError,
)
from facecv.core.gallery import Collection, Counts, Person, SearchQuery
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.plugins.contracts.gallery.examples import (
    SPACE,
    TEAM,
    GalleryFixtures,
    embedding,
    enrol,
    face,
    ids,
)


class _UndoneError(Exception):
    """What makes a transaction fail."""


@contextmanager
def undone(gallery: GalleryRepo) -> Iterator[None]:
    """Return a transaction that fails at its end."""
    with suppress(_UndoneError), gallery.transaction():
        yield
        raise _UndoneError


class TransactionPromises(GalleryFixtures):
    """Changes are kept together, or not at all."""

    def test_a_transaction_is_kept_whole(self, team: GalleryRepo) -> None:
        """What a transaction did is there after it."""
        with team.transaction():
            enrol(team, "ann", face(1))
            enrol(team, "bob", face(0, 1))
        assert team.count("team") == Counts(2, 2)

    def test_a_failed_transaction_leaves_no_trace(self, team: GalleryRepo) -> None:
        """All that a failed transaction did is undone."""
        ann = enrol(team, "ann", face(1, id="f"), face(0, 1, id="g"), metadata={"a": 1})
        before = team.search("team", [embedding(1, 2)], SearchQuery())
        with undone(team):
            enrol(team, "bob", face(1, 2))
            team.delete_face("team", "g")
            team.update_person("team", attrs.evolve(ann, name="Other", metadata={}))
            team.update_collection(attrs.evolve(TEAM, threshold=0.9))
            team.delete_person("team", "ann")
            team.create_collection(Collection("more", SPACE))
            team.delete_collection("team")
        assert team.collections() == [TEAM]
        assert team.persons("team") == [ann]
        assert [record.id for _, record in team.faces("team")] == ["f", "g"]
        assert team.search("team", [embedding(1, 2)], SearchQuery()) == before
        enrol(team, "bob", face(1, 2))
        assert ids(team.search("team", [embedding(1, 2)], SearchQuery())[0]) == ["bob", "ann"]

    def test_a_transaction_sees_its_own_changes(self, team: GalleryRepo) -> None:
        """Counts and searches inside include what it did."""
        enrol(team, "ann", face(1, id="f"))
        team.search("team", [embedding(1)], SearchQuery())
        with undone(team):
            enrol(team, "bob", face(1, 0.1))
            team.delete_face("team", "f")
            assert team.count("team") == Counts(2, 1)
            assert ids(team.search("team", [embedding(1)], SearchQuery())[0]) == ["bob"]
            team.create_collection(Collection("new", SPACE))
            team.add_person("new", Person("Cyd", id="cyd"), [face(1)])
            assert ids(team.search("new", [embedding(1)], SearchQuery())[0]) == ["cyd"]
        assert ids(team.search("team", [embedding(1)], SearchQuery())[0]) == ["ann"]

    def test_the_outer_transaction_decides_for_the_inner(self, team: GalleryRepo) -> None:
        """What an inner one did goes with the outer one."""
        with undone(team), team.transaction():
            enrol(team, "ann", face(1))
        assert team.persons("team") == []

    def test_a_failed_inner_transaction_undoes_itself_only(self, team: GalleryRepo) -> None:
        """What came before and after it is kept."""
        with team.transaction():
            enrol(team, "ann", face(1))
            with undone(team):
                enrol(team, "bob", face(1))
            with pytest.raises(AlreadyExistsError):
                enrol(team, "cyd", face(1, id="x"), face(1, id="x"))
            enrol(team, "dan", face(0, 1))
        assert [person.id for person in team.persons("team")] == ["ann", "dan"]
        [found] = team.search("team", [embedding(1)], SearchQuery())
        assert ids(found) == ["ann", "dan"]

    @pytest.mark.parametrize("error", [OSError, UnicodeError, KeyError, GalleryError])
    def test_what_the_caller_raises_comes_through(
        self, team: GalleryRepo, error: type[Exception]
    ) -> None:
        """A transaction undoes, but does not change what went wrong."""
        mine = error("mine")
        with pytest.raises(error) as caught, team.transaction():
            raise mine
        assert caught.value is mine

    def test_a_transaction_is_invisible_to_other_threads_until_it_ends(
        self, team: GalleryRepo
    ) -> None:
        """Nobody reads what may be undone."""
        seen: list[Counts] = []
        reader = threading.Thread(target=lambda: seen.append(team.count("team")))
        with undone(team):
            enrol(team, "ann", face(1))
            reader.start()
            reader.join(0.2)  # a gallery may make readers wait, but must not show it
        reader.join()
        assert seen == [Counts(0, 0)]


class LifePromises(GalleryFixtures):
    """A gallery serves threads, and ends."""

    def test_threads_write_and_search_at_once(self, team: GalleryRepo) -> None:
        """Threads lose nothing and find what they just added."""
        errors: list[BaseException] = []

        def work(worker: int) -> None:
            try:
                for number in range(15):
                    name = f"{worker}-{number:02}"
                    vector = np.random.default_rng([worker, number]).normal(size=8)
                    enrol(team, name, face(*vector))
                    query = SearchQuery(top_k=1)
                    [[best]] = team.search("team", [embedding(*vector)], query)
                    assert (best.person.id, best.similarity) == (name, 1.0)
                    if number % 3 == 0:
                        team.delete_person("team", name)
            except BaseException as error:  # noqa: BLE001 - shown by the assertion below
                errors.append(error)

        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert team.count("team") == Counts(60, 60)
        assert len(team.search("team", [embedding(1)], SearchQuery(top_k=99))[0]) == 60

    def test_it_closes_twice(self, team: GalleryRepo) -> None:
        """Closing again does nothing."""
        team.close()
        team.close()
