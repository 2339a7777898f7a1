"""Enrolling persons: from photos to faces in a collection, all or nothing."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import attrs

from facecv.core.attributes import AttributeValue
from facecv.core.errors import (
    AlreadyExistsError,
    CollectionNotFoundError,
    FaceCVError,
    FaceNotFoundError,
    GalleryError,
)
from facecv.core.gallery import Collection, FaceRecord, Metadata, Person
from facecv.core.liveness import LivenessGate
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.core.quality import GateName
from facecv.core.services.analyse import Analyser, Want
from facecv.core.services.find import FindOptions
from facecv.core.services.follow import following
from facecv.core.services.known_faces import Refusals, check_not_all, refusals
from facecv.core.services.liveness import wanted
from facecv.core.services.permit import may_keep
from facecv.core.services.photos import AnyPhoto, GoodFace, Photo, distinct, good_face

TakenName = Literal["merge", "refuse", "allow"]
KnownFaces = Literal["skip", "refuse"]


@attrs.frozen
class EnrolOptions:
    """How to enrol.

    Attributes:
        gate: the quality a face must have; None: the collection's, or the engine's.
        skip_bad: enrol with the good photos and report the bad ones; otherwise the first bad
            photo stops the person, who is then left out entirely.
        metadata: facts about a person who is new.
        store_crops: for a collection that does not exist yet: keep aligned crops.
        liveness: whether a face must be live; ``observe`` only tells.
        taken_name: when somebody has that name already: ``merge`` adds the photos to that person,
            ``refuse`` is an error, ``allow`` makes another person.
        known_faces: ``refuse`` makes it an error if the same photo comes twice, or if the face is
            somebody else's; ``skip`` leaves out photos that the person has, and asks no more.
        new_collection: whether a collection that is not there is made.
    """

    gate: GateName | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(attrs.validators.in_(("off", "standard", "strict"))),
    )
    skip_bad: bool = False
    metadata: Metadata = attrs.field(factory=dict)
    store_crops: bool = False
    liveness: LivenessGate = attrs.field(
        default="off", validator=attrs.validators.in_(("off", "observe", "enforce"))
    )
    taken_name: TakenName = "merge"
    known_faces: KnownFaces = "skip"
    new_collection: bool = True


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
        others: faces of the photo that are at least half as large: perhaps one of them was meant.
    """

    source: str
    status: Literal["enrolled", "known", "failed"]
    face_id: str = ""
    quality: float | None = None
    error: FaceCVError | None = None
    liveness: AttributeValue | None = None
    others: int = 0


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


_Owner = Callable[[], tuple[Person, bool]]
"""Returns who gets the faces, and whether that person is new."""


@attrs.define(eq=False)
class Enroller:
    """Enrols persons. The largest face of a photo is the person's.

    Attributes:
        analyser: looks at the photos.
        gallery: keeps the faces.
        gate: the quality a face must have where neither options nor collection say.
    """

    analyser: Analyser
    gallery: GalleryRepo
    gate: GateName = "standard"

    def enrol(
        self,
        collection: str,
        who: str | Person,
        photos: Sequence[AnyPhoto],
        options: EnrolOptions | None = None,
        find: FindOptions | None = None,
    ) -> Enrolment:
        """Add the faces of `photos` to the person called like `who`, who is made if new.

        A collection that is there keeps the embedder of its space, whatever the default is; one
        that is not is made in the space of the current embedder.

        Args:
            collection: its name.
            who: the name, or all of a person who is new.
            photos: one or more.
            options: how.
            find: which faces are found.

        Raises:
            InputError: a photo cannot be read, has no face or fails the gate of quality or of
                liveness, and `skip_bad` is off, or no photo at all could be used. Nothing is left
                behind.
            AlreadyExistsError: the id is taken, or the name, and options refuse that.
            KnownFaceError: as InputError, where options refuse known faces.
            ConfigurationError: the liveness gate is on, but no model gives liveness.
            GalleryError: the gallery refuses.
            ModelNotFoundError: no model at hand has the collection's space.
        """
        chosen = options or EnrolOptions()
        draft = Person(who, metadata=chosen.metadata) if isinstance(who, str) else who
        owner = partial(self._called, collection, draft, chosen.taken_name)
        return self._follow(collection, owner, photos, name=draft.name, options=chosen, find=find)

    def add_photos(
        self,
        collection: str,
        person_id: str,
        photos: Sequence[AnyPhoto],
        options: EnrolOptions | None = None,
        find: FindOptions | None = None,
    ) -> Enrolment:
        """Add the faces of `photos` to a person who is there; raises what `enrol` raises.

        Raises:
            PersonNotFoundError: there is no such person.
        """
        chosen = attrs.evolve(options or EnrolOptions(), new_collection=False)
        name = self.gallery.person(collection, person_id).name
        owner = partial(self._known, collection, person_id)
        return self._follow(collection, owner, photos, name=name, options=chosen, find=find)

    def enrol_faces(
        self,
        collection: str,
        who: str | Person,
        faces: Sequence[FaceRecord],
        options: EnrolOptions | None = None,
    ) -> Enrolment:
        """Add faces that were embedded before to the person called like `who`, made if new.

        The gates of `options` are not asked: nobody looks at a photo.

        Raises:
            EmbeddingSpaceError: the collection is of another space than the faces.
            GalleryError: the gallery refuses, or options refuse known faces.
        """
        chosen = options or EnrolOptions()
        draft = Person(who, metadata=chosen.metadata) if isinstance(who, str) else who
        owner = partial(self._called, collection, draft, chosen.taken_name)
        return self._store(collection, owner, [GoodFace(face) for face in faces], chosen)

    def add_faces(
        self,
        collection: str,
        person_id: str,
        faces: Sequence[FaceRecord],
        options: EnrolOptions | None = None,
    ) -> Enrolment:
        """Add faces that were embedded before to a person who is there, as `enrol_faces` does."""
        chosen = attrs.evolve(options or EnrolOptions(), new_collection=False)
        owner = partial(self._known, collection, person_id)
        return self._store(collection, owner, [GoodFace(face) for face in faces], chosen)

    def ensure_collection(self, name: str, *, store_crops: bool = False) -> Collection:
        """Return the collection, made for the current embedder if it is not there."""
        try:
            return self.gallery.collection(name)
        except CollectionNotFoundError:
            with self.analyser.hold_embedder() as embedder:
                made = Collection(name, embedder.model.space, store_crops=store_crops)
            self.gallery.create_collection(made)
            return made

    def _follow(
        self,
        collection: str,
        owner: _Owner,
        photos: Sequence[AnyPhoto],
        *,
        name: str,
        options: EnrolOptions,
        find: FindOptions | None,
    ) -> Enrolment:
        """Look at photos in the collection's space, and store what is good."""
        chosen = attrs.evolve(options, gate=options.gate or self._gate(collection))

        def enrol(analyser: Analyser) -> Enrolment:
            own = attrs.evolve(self, analyser=analyser)
            looked = own._look_at(photos, chosen, find)  # noqa: SLF001 - itself
            _check_some(looked, name)
            return own._store(collection, owner, looked, chosen)  # noqa: SLF001 - itself

        may_be_new = options.new_collection
        return following(collection, self.analyser, self.gallery, enrol, may_be_new=may_be_new)

    def _gate(self, collection: str) -> GateName:
        try:
            return self.gallery.collection(collection).gate or self.gate
        except CollectionNotFoundError:
            return self.gate

    def _look_at(
        self, photos: Sequence[AnyPhoto], options: EnrolOptions, find: FindOptions | None
    ) -> list[GoodFace | PhotoResult]:
        want = wanted(Want(crop=True), options.liveness, self.analyser)
        return [
            self._look(photo if isinstance(photo, Photo) else Photo(photo), n, want, options, find)
            for n, photo in enumerate(photos, 1)
        ]

    def _look(
        self,
        photo: Photo,
        number: int,
        want: Want,
        options: EnrolOptions,
        find: FindOptions | None,
    ) -> GoodFace | PhotoResult:
        """Return the face of a photo, or a report of why there is none."""
        source = photo.name or f"photo {number}"
        try:
            image = self.analyser.read(photo.source)
            source = photo.name or image.source or source
            faces = self.analyser.analyse([image], want, find)[0]
            return good_face(faces, source, options.gate or self.gate, options.liveness)
        except FaceCVError as error:
            if not options.skip_bad:
                raise
            return PhotoResult(source, "failed", error=error)

    def _store(
        self,
        name: str,
        owner: _Owner,
        looked: Sequence[GoodFace | PhotoResult],
        options: EnrolOptions,
    ) -> Enrolment:
        """Write the person and the faces that are new; return what became of each photo."""
        records = [item.record for item in looked if isinstance(item, GoodFace)]
        with self.gallery.transaction():
            collection = self._collection(name, options)
            person, created = owner()
            known = [] if created else self.gallery.faces(name, person.id)
            has = {face.digest for _, face in known}
            refused: Refusals = {}
            fresh = distinct(records, has)
            if options.known_faces == "refuse":
                refused = refusals(
                    self.gallery, self.analyser, collection, person, records=records, fresh=fresh
                )
                check_not_all(refused, records, skip_bad=options.skip_bad)
            kept = [record for record in fresh if record.id not in refused]
            if not collection.store_crops:
                kept = [attrs.evolve(record, crop=None) for record in kept]
            if created:
                self.gallery.add_person(name, person, kept)
            else:
                self.gallery.add_faces(name, person.id, kept)
            may_keep()
        stored = frozenset(record.id for record in kept)
        return Enrolment(person, created, tuple(_result(item, stored, refused) for item in looked))

    def _collection(self, name: str, options: EnrolOptions) -> Collection:
        if not options.new_collection:
            return self.gallery.collection(name)
        return self.ensure_collection(name, store_crops=options.store_crops)

    def _known(self, collection: str, person_id: str) -> tuple[Person, bool]:
        return self.gallery.person(collection, person_id), False

    def _called(self, collection: str, draft: Person, taken: TakenName) -> tuple[Person, bool]:
        """Return the person that a draft stands for, and whether that person is new."""
        persons = self.gallery.persons(collection, name=draft.name)
        if taken == "allow" or not persons:
            return draft, True
        if taken == "refuse":
            raise AlreadyExistsError(
                f"{collection!r} has a person called {draft.name!r}",
                details={"person_id": persons[0].id},
            )
        if len(persons) > 1:
            raise GalleryError(
                f"{collection!r} has {len(persons)} persons called {draft.name!r}",
                hint="rename one of them",
            )
        return persons[0], False


def _check_some(looked: Sequence[GoodFace | PhotoResult], name: str) -> None:
    """Raise the first error unless there is a good photo."""
    if any(isinstance(item, GoodFace) for item in looked):
        return
    raise next(
        (item.error for item in looked if isinstance(item, PhotoResult) and item.error),
        FaceNotFoundError(f"no photo of {name!r} was given"),
    )


def _result(item: GoodFace | PhotoResult, stored: frozenset[str], refused: Refusals) -> PhotoResult:
    if isinstance(item, PhotoResult):
        return item
    record = item.record
    made = PhotoResult(record.source, "known", "", record.quality, None, item.liveness, item.others)
    if record.id in stored:
        return attrs.evolve(made, status="enrolled", face_id=record.id)
    if record.id in refused:
        return attrs.evolve(made, status="failed", error=refused[record.id])
    return made
