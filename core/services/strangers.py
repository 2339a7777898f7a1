"""Strangers who were seen several times, and how they become persons."""

import hashlib
from collections.abc import Iterable

import attrs
import numpy as np

from facecv.core.embedding import Embedding
from facecv.core.errors import InputError, StrangerNotFoundError
from facecv.core.event import Event, EventQuery
from facecv.core.gallery import FaceRecord, SearchQuery
from facecv.core.image import ImageSource
from facecv.core.ports.event_store import EventStore
from facecv.core.services.enrol import Enroller, Enrolment
from facecv.core.services.event_log import all_events

_MOST_FACES = 5


@attrs.frozen(eq=False)
class Stranger:
    """Somebody unknown, as seen one or several times.

    Attributes:
        id: of the first event; stays the same while more come.
        events: ``stranger.seen``, oldest first.
        center: the mean of their embeddings, weighted by quality.
    """

    id: str
    events: tuple[Event, ...]
    center: Embedding

    @property
    def best(self) -> Event:
        """The sighting of the highest quality."""
        return max(self.events, key=_weight)


def group_strangers(events: Iterable[Event], threshold: float) -> list[Stranger]:
    """Return strangers, each with all sightings that are alike, by falling number of sightings.

    Every sighting goes to the group whose centre it is most like, or begins a new one.

    Args:
        events: those without an embedding are left out.
        threshold: cosine from which two faces are one person.
    """
    groups: list[Stranger] = []
    for event in sorted(events, key=lambda each: each.time):
        if event.embedding is None:
            continue
        mine = event.embedding
        alike = [group for group in groups if group.center.space == mine.space]
        best = max(alike, key=lambda group: group.center.cosine(mine), default=None)
        if best is not None and best.center.cosine(mine) >= threshold:
            groups[groups.index(best)] = _joined(best, event)
        else:
            groups.append(Stranger(event.id, (event,), mine))
    return sorted(groups, key=lambda group: -len(group.events))


@attrs.define(eq=False)
class Strangers:
    """The strangers of a collection.

    Attributes:
        store: where events are kept.
        enroller: makes persons.
        threshold: cosine from which two faces are one person.
    """

    store: EventStore
    enroller: Enroller
    threshold: float

    def seen(self, collection: str, *, least: int = 2) -> list[Stranger]:
        """Return strangers who were seen `least` times or more and are still unknown."""
        query = EventQuery(frozenset({"stranger.seen"}), collection=collection)
        groups = group_strangers(all_events(self.store, query), self.threshold)
        often = [group for group in groups if len(group.events) >= least]
        return [group for group in often if not self._is_known(collection, group)]

    def enrol(self, collection: str, stranger_id: str, name: str) -> Enrolment:
        """Make a stranger a person, or add the faces to the person of that name.

        The best few sightings become faces; no photo is needed.

        Args:
            collection: made if it is not there.
            stranger_id: an id, or the beginning of one.
            name: of the person.

        Raises:
            StrangerNotFoundError: there is no such stranger.
            InputError: there is more than one.
        """
        found = [s for s in self.seen(collection, least=1) if s.id.startswith(stranger_id)]
        if not found:
            raise StrangerNotFoundError(f"no stranger in {collection!r} goes by {stranger_id!r}")
        if len(found) > 1:
            raise InputError(f"{len(found)} strangers in {collection!r} go by {stranger_id!r}")
        best = sorted(found[0].events, key=_weight, reverse=True)[:_MOST_FACES]
        return self.enroller.enrol_faces(collection, name, [self._record(event) for event in best])

    def _is_known(self, collection: str, group: Stranger) -> bool:
        names = {each.name for each in self.enroller.gallery.collections()}
        if collection not in names:
            return False
        query = SearchQuery(top_k=1, threshold=self.threshold)
        return bool(self.enroller.gallery.search(collection, [group.center], query)[0])

    def _record(self, event: Event) -> FaceRecord:
        """Return a sighting as a face to enrol; its crop, where it was kept, goes along."""
        if event.embedding is None:
            raise InputError(f"the event {event.id} has no embedding")
        crop: ImageSource | None = event.crop
        pixels = None if crop is None else self.enroller.analyser.read(crop).pixels
        content = event.embedding.vector.tobytes()
        return FaceRecord(
            event.embedding,
            source=f"{event.source} {event.time.isoformat(timespec='seconds')}",
            digest=hashlib.sha256(content).hexdigest(),
            quality=event.quality,
            crop=pixels,
        )


def _weight(event: Event) -> float:
    return max(event.quality or 0.0, 0.05)


def _joined(group: Stranger, event: Event) -> Stranger:
    events = (*group.events, event)
    vectors = [each.embedding.vector * _weight(each) for each in events if each.embedding]
    total = np.sum(vectors, axis=0)
    center = total / max(float(np.linalg.norm(total)), 1e-9)
    return Stranger(group.id, events, Embedding(center, group.center.space))
