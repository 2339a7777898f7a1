"""Turning what happens in front of a camera into events, without saying everything twice."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import attrs
import numpy as np

from facecv.core.arrays import Pixels
from facecv.core.embedding import Embedding
from facecv.core.event import Event, EventKind
from facecv.core.services.regard import Regard
from facecv.core.services.tracking import Track

_STRANGER = "stranger"


@attrs.define(eq=False)
class Announcer:
    """Makes the events of one stream.

    Attributes:
        emit: takes each event.
        source: name of the stream.
        collection: where persons are looked for; empty: nowhere.
        cooldown: seconds for which a person, or a stranger who looks like one seen before, is not
            announced again.
        began: the moment of a file's first frame; None: times are seconds since the epoch.
        encode: makes a JPEG of an aligned crop; None: events carry no crop.
    """

    emit: Callable[[Event], None]
    source: str
    collection: str = ""
    cooldown: float = 30.0
    began: datetime | None = None
    encode: Callable[[Pixels], bytes] | None = None
    _persons: dict[str, float] = attrs.field(factory=dict, init=False)
    _strangers: list[tuple[Embedding, float]] = attrs.field(factory=list, init=False)

    def moment(self, time: float) -> datetime:
        """Return the date of a frame's time."""
        if self.began is None:
            return datetime.fromtimestamp(time, UTC)
        return self.began + timedelta(seconds=time)

    def up(self, time: float) -> None:
        """Say that frames come."""
        self.emit(self._of_source("source.up", time))

    def down(self, time: float, why: str) -> None:
        """Say that no frames come any more."""
        self.emit(self._of_source("source.down", time, why))

    def appeared(self, track: Track, regard: Regard, time: float) -> None:
        """Say that there is a face."""
        self.emit(self._about("face.appeared", track, regard, time))

    def left(self, track: Track, regard: Regard) -> None:
        """Say that a face has gone, at the time when it was last seen."""
        self.emit(self._about("face.left", track, regard, track.seen))

    def judged(self, track: Track, regard: Regard, time: float) -> None:
        """Say who it is, or that it is a stranger, unless that was said before."""
        match = regard.verdict.match
        told = match.person.id if match else _STRANGER
        if regard.verdict.standing == "open" or told == regard.told:
            return
        regard.told = told
        if match and not self._is_recent(told, time):
            self.emit(self._about("person.recognised", track, regard, time))
        elif match is None and not self._is_recent_stranger(regard, time):
            self.emit(self._about("stranger.seen", track, regard, time))

    def _of_source(self, kind: EventKind, time: float, why: str = "") -> Event:
        moment = self.moment(time)
        return Event(kind, self.source, moment, collection=self.collection, detail=why)

    def _about(self, kind: EventKind, track: Track, regard: Regard, time: float) -> Event:
        match, best = regard.verdict.match, regard.best
        # Where a face merely appears or leaves, its picture would say nothing new.
        crop = best.crop if best and kind in {"person.recognised", "stranger.seen"} else None
        return Event(
            kind,
            self.source,
            self.moment(time),
            collection=self.collection,
            track=regard.name,
            box=track.detection.box,
            person_id=match.person.id if match else "",
            person=match.person.name if match else "",
            similarity=match.similarity if match else None,
            quality=regard.quality if best else None,
            attributes=best.attributes if best else {},
            crop=self.encode(crop) if self.encode and crop is not None else None,
            embedding=best.embedding if best and kind == "stranger.seen" else None,
        )

    def _is_recent(self, person_id: str, time: float) -> bool:
        """Return whether a person was announced a short while ago; note it if not."""
        recent = {key: at for key, at in self._persons.items() if time - at < self.cooldown}
        self._persons = {person_id: time, **recent}
        return person_id in recent

    def _is_recent_stranger(self, regard: Regard, time: float) -> bool:
        """Return whether somebody alike was announced a short while ago; note it if not."""
        mine = regard.best.embedding if regard.best else None
        if mine is None:
            return False
        self._strangers = [item for item in self._strangers if time - item[1] < self.cooldown]
        known = [embedding for embedding, _ in self._strangers if embedding.space == mine.space]
        if known and float(np.max([mine.cosine(other) for other in known])) >= regard.threshold:
            return True
        self._strangers.append((mine, time))
        return False
