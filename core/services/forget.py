"""Persons and collections that go, and take what was kept about them along."""

import attrs

from facecv.core.errors import NotEmptyError
from facecv.core.event import EventQuery
from facecv.core.gallery import Person
from facecv.core.ports.event_store import EventStore
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.core.services.event_log import all_events


@attrs.frozen(eq=False)
class Forgetter:
    """Deletes persons and collections with the events in which they were seen.

    Not to be called in a transaction of the gallery: the events may lie in the same file, which
    only one can write to at a time. A stream that still sees a person's face tells of it until the
    face has left.

    Attributes:
        gallery: where persons are enrolled.
        events: where events are kept.
    """

    gallery: GalleryRepo
    events: EventStore

    def person(self, collection: str, person_id: str) -> None:
        """Delete a person with all faces and events; raises what the gallery raises."""
        self.gallery.person(collection, person_id)
        # Events first: if this is cut short, it can be done again.
        self._forget_events(collection, person_id)
        self.gallery.delete_person(collection, person_id)

    def everybody_called(self, collection: str, name: str) -> list[Person]:
        """Delete all persons of a name, with faces and events; return them."""
        for person in self.gallery.persons(collection, name=name):
            self._forget_events(collection, person.id)
        with self.gallery.transaction():
            persons = self.gallery.persons(collection, name=name)
            for person in persons:
                self.gallery.delete_person(collection, person.id)
        return persons

    def collection(self, name: str, *, only_empty: bool = False) -> None:
        """Delete a collection with all persons, faces and events.

        Args:
            name: of the collection.
            only_empty: leave one alone in which there are persons.

        Raises:
            NotEmptyError: there are persons, and `only_empty` is set.
        """
        with self.gallery.transaction():
            persons = self.gallery.count(name).persons
            if persons and only_empty:
                raise NotEmptyError(
                    f"{name!r} has {persons} {'person' if persons == 1 else 'persons'}",
                    hint="force deletes them too",
                    details={"persons": persons},
                )
            self.gallery.delete_collection(name)
        self.events.remove(EventQuery(collection=name))

    def _forget_events(self, collection: str, person_id: str) -> None:
        """Forget all events of every stay in which the person was recognised."""
        own = EventQuery(collection=collection, person_id=person_id)
        # The face was seen, and perhaps taken for a stranger's, before it was recognised.
        tracks = {event.track for event in all_events(self.events, own)} - {""}
        for track in sorted(tracks):
            self.events.remove(EventQuery(collection=collection, track=track))
        self.events.remove(own)
