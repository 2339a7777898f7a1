"""Enrolling persons: from photos to faces in a collection, all or nothing."""

import hashlib
from collections.abc import Sequence
from typing import Literal

import attrs

from facecv.core.arrays import Pixels
from facecv.core.attributes import AttributeValue
from facecv.core.errors import (
    CollectionNotFoundError,
    FaceCVError,
    FaceNotFoundError,
    GalleryError,
    QualityError,
)
from facecv.core.face import Face
from facecv.core.gallery import Collection, FaceRecord, Metadata, Person
from facecv.core.image import Image, ImageSource
from facecv.core.liveness import LivenessGate
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.core.quality import GateName
from facecv.core.services.analyse import Analyser, Want, largest
from facecv.core.services.find import FindOptions
from facecv.core.services.follow import following
from facecv.core.services.liveness import check_live, liveness_of, wanted


@attrs.frozen
class EnrolOptions:
    """How to enrol.

    Attributes:
        gate: the quality a face must have.
        skip_bad: enrol with the good photos and report the bad ones; otherwise the first bad
            photo stops the person, who is then left out entirely.
        metadata: facts about a person who is new.
        store_crops: for a collection that does not exist yet: keep aligned crops.
        liveness: whether a face must be live; ``observe`` only tells.
    """

    gate: GateName = attrs.field(
        default="standard", validator=attrs.validators.in_(("off", "standard", "strict"))
    )
    skip_bad: bool = False
    metadata: Metadata = attrs.field(factory=dict)
    store_crops: bool = False
    liveness: LivenessGate = attrs.field(
        default="off", validator=attrs.validators.in_(("off", "observe", "enforce"))
    )


@attrs.frozen
class PhotoResult:
    """What became of one photo.

    Attributes:
        source: the photo's name.
        status: ``enrolled``, ``known`` (the person already has this very face) or ``failed``.
        face_id: of the enrolled face; empty otherwise.
        quality: 0..1; None if no face was found.
        error: why it failed; None otherwise.
        liveness: what a model said about the face, where the gate asked one.
    """

    source: str
    status: Literal["enrolled", "known", "failed"]
    face_id: str = ""
    quality: float | None = None
    error: FaceCVError | None = None
    liveness: AttributeValue | None = None


@attrs.frozen(eq=False)
class _Good:
    """A face that can be enrolled."""

    record: FaceRecord
    liveness: AttributeValue | None = None


@attrs.frozen
class Enrolment:
    """What became of a person's photos.

    Attributes:
        person: who was enrolled.
        created: whether the person is new.
        photos: one result a photo, in order.
    """

    person: Person
    created: bool
    photos: tuple[PhotoResult, ...]


@attrs.define(eq=False)
class Enroller:
    """Enrols persons. The largest face of a photo is the person's."""

    analyser: Analyser
    gallery: GalleryRepo

    def enrol(
        self,
        collection: str,
        name: str,
        photos: Sequence[ImageSource | Image],
        options: EnrolOptions | None = None,
        find: FindOptions | None = None,
    ) -> Enrolment:
        """Add the faces of `photos` to the person called `name`, who is made if new.

        A collection that is there keeps the embedder of its space, whatever the default is; one
        that is not is made in the space of the current embedder.

        Raises:
            InputError: a photo cannot be read, has no face or fails the gate of quality or of
                liveness, and `skip_bad` is off, or no photo at all could be used. Nothing is left
                behind.
            ConfigurationError: the liveness gate is on, but no model gives liveness.
            GalleryError: the gallery refuses.
            ModelNotFoundError: no model at hand has the collection's space.
        """
        chosen = options or EnrolOptions()

        def enrol(analyser: Analyser) -> Enrolment:
            enroller = attrs.evolve(self, analyser=analyser)
            return enroller._enrol(collection, name, photos, chosen, find)  # noqa: SLF001 - itself

        return following(collection, self.analyser, self.gallery, enrol, may_be_new=True)

    def _enrol(
        self,
        collection: str,
        name: str,
        photos: Sequence[ImageSource | Image],
        options: EnrolOptions,
        find: FindOptions | None,
    ) -> Enrolment:
        draft = Person(name, metadata=options.metadata)
        want = wanted(Want(crop=True), options.liveness, self.analyser)
        looked = [
            self._look(photo, index, want, options, find) for index, photo in enumerate(photos)
        ]
        good = [item.record for item in looked if isinstance(item, _Good)]
        failures = [item for item in looked if isinstance(item, PhotoResult)]
        if not good:
            raise next(
                (item.error for item in failures if item.error),
                FaceNotFoundError(f"no photo of {name!r} was given"),
            )
        person, created, known = self._store(collection, draft, good, options)
        return Enrolment(person, created, tuple(_result(item, known) for item in looked))

    def enrol_faces(self, collection: str, name: str, faces: Sequence[FaceRecord]) -> Enrolment:
        """Add faces that were embedded before to the person called `name`, who is made if new.

        Raises:
            EmbeddingSpaceError: the collection is of another space than the faces.
            GalleryError: the gallery refuses.
        """
        person, created, known = self._store(collection, Person(name), list(faces), EnrolOptions())
        return Enrolment(person, created, tuple(_result(_Good(face), known) for face in faces))

    def ensure_collection(self, name: str, *, store_crops: bool = False) -> Collection:
        """Return the collection, made for the current embedder if it is not there."""
        try:
            return self.gallery.collection(name)
        except CollectionNotFoundError:
            with self.analyser.hold_embedder() as embedder:
                made = Collection(name, embedder.model.space, store_crops=store_crops)
            self.gallery.create_collection(made)
            return made

    def _look(
        self,
        photo: ImageSource | Image,
        index: int,
        want: Want,
        options: EnrolOptions,
        find: FindOptions | None,
    ) -> _Good | PhotoResult:
        """Return the face of a photo, or a report of why there is none."""
        source = f"photo {index + 1}"
        try:
            image = self.analyser.read(photo)
            source = image.source or source
            face = largest(self.analyser.analyse([image], want, find)[0])
            return _checked(face, source, options)
        except FaceCVError as error:
            if not options.skip_bad:
                raise
            return PhotoResult(source, "failed", error=error)

    def _store(
        self, name: str, draft: Person, records: list[FaceRecord], options: EnrolOptions
    ) -> tuple[Person, bool, frozenset[str]]:
        """Write the person and the faces that are new; return also the ids that are not."""
        with self.gallery.transaction():
            collection = self.ensure_collection(name, store_crops=options.store_crops)
            if not collection.store_crops:
                records = [attrs.evolve(record, crop=None) for record in records]
            person = self._person_called(name, draft.name)
            if person is None:
                fresh, person, created = _distinct(records, set()), draft, True
                self.gallery.add_person(name, person, fresh)
            else:
                digests = {face.digest for _, face in self.gallery.faces(name, person.id)}
                fresh, created = _distinct(records, digests), False
                self.gallery.add_faces(name, person.id, fresh)
        known = frozenset(r.id for r in records) - {r.id for r in fresh}
        return person, created, known

    def _person_called(self, collection: str, name: str) -> Person | None:
        persons = self.gallery.persons(collection, name=name)
        if len(persons) > 1:
            raise GalleryError(
                f"{collection!r} has {len(persons)} persons called {name!r}",
                hint="rename one of them",
            )
        return persons[0] if persons else None


def _checked(face: Face | None, source: str, options: EnrolOptions) -> _Good:
    """Return a face that passes all gates; raise an `InputError` otherwise."""
    if face is None:
        raise FaceNotFoundError(f"{source}: no face found")
    check_live(face, options.liveness, source)
    return _Good(_record(face, source, options.gate), liveness_of(face))


def _record(face: Face, source: str, gate: GateName) -> FaceRecord:
    """Return a face as a record; raise an `InputError` if it is not good enough."""
    if face.embedding is None or face.crop is None or face.quality is None:
        raise FaceNotFoundError(
            f"{source}: the detector gives no landmarks", hint="use a detector with landmarks"
        )
    failed = face.quality.failed(gate)
    if failed:
        parts = ", ".join(f"{part} {getattr(face.quality, part):.2f}" for part in failed)
        raise QualityError(
            f"{source}: the face fails the {gate!r} quality gate: {parts}",
            hint="use a better photo or another gate (off, standard, strict)",
            details={"failed": list(failed), "quality": face.quality.score},
        )
    return FaceRecord(
        face.embedding,
        source=source,
        digest=_digest(face.crop),
        quality=face.quality.score,
        crop=face.crop,
    )


def _digest(crop: Pixels) -> str:
    return hashlib.sha256(crop.tobytes()).hexdigest()


def _distinct(records: Sequence[FaceRecord], seen: set[str]) -> list[FaceRecord]:
    """Return the records whose crop is neither in `seen` nor twice among them."""
    first = {record.digest: record for record in reversed(records)}
    return [r for r in records if r.digest not in seen and first[r.digest] is r]


def _result(item: _Good | PhotoResult, known: frozenset[str]) -> PhotoResult:
    if isinstance(item, PhotoResult):
        return item
    record = item.record
    made = PhotoResult(record.source, "known", "", record.quality, liveness=item.liveness)
    if record.id in known:
        return made
    return attrs.evolve(made, status="enrolled", face_id=record.id)
