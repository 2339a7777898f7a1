"""Moving a collection to another embedding model, while it is searched.

The faces are embedded anew from their stored crops into a second collection beside the first. What
is in it is durable, so that a migration that was killed goes on where it was. When both hold the
same faces, the second takes the place of the first in one transaction.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import TypeVar

import attrs
import numpy as np

from facecv.core.embedding import EmbeddingSpace
from facecv.core.errors import (
    AlreadyExistsError,
    CollectionNotFoundError,
    CropsMissingError,
    InputError,
    PersonNotFoundError,
)
from facecv.core.gallery import Collection, FaceRecord
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.core.services.analyse import Analyser

ItemT = TypeVar("ItemT")
Progress = Callable[[int, int], None]
"""Called with faces done and faces in all."""

FaceId = tuple[str, str]
"""The ids of a person and of a face."""


@attrs.frozen
class MigrateOptions:
    """How to migrate.

    Attributes:
        drop_without_crop: leave faces behind that have no stored crop; otherwise they stop the
            migration before anything is switched.
        batch: faces that are embedded and stored together.
    """

    drop_without_crop: bool = False
    batch: int = attrs.field(default=64, validator=attrs.validators.ge(1))


@attrs.frozen
class Migration:
    """What became of a collection.

    Attributes:
        collection: as it is now.
        before: the space it had.
        embedded: faces that were embedded by this call; others were by an earlier one.
        dropped: faces without a stored crop that were left behind, as (person id, face id).
        threshold: the collection's own threshold, which went: it was of the old model.
    """

    collection: Collection
    before: EmbeddingSpace
    embedded: int
    dropped: tuple[FaceId, ...] = ()
    threshold: float | None = None


def staging_name(collection: str) -> str:
    """Return the name of the collection in which a migration gathers its faces."""
    return f"{collection[:80]}.migrating"


@attrs.define(eq=False)
class Migrator:
    """Migrates collections. Searches go on in the old space until the new one is complete."""

    analyser: Analyser
    gallery: GalleryRepo

    def migrate(
        self,
        name: str,
        embedder: str,
        options: MigrateOptions | None = None,
        progress: Progress | None = None,
    ) -> Migration:
        """Return the collection in the space of another embedder.

        An earlier call that was cut short is continued. What is enrolled, changed or deleted
        meanwhile is taken over; whatever `progress` raises ends the call, and a later one goes on.

        Args:
            name: the collection.
            embedder: reference of the model; empty: the default one.
            options: how to do it.
            progress: told after every batch.

        Raises:
            CollectionNotFoundError: there is no such collection.
            ModelNotFoundError: no model goes by that name.
            CropsMissingError: faces have no stored crop; ``details["faces"]`` names them.
            AlreadyExistsError: a migration to another model was begun and not ended.
        """
        bound = self.gallery.collection(name)
        analyser = self.analyser.using(embedder=embedder)
        with analyser.hold_embedder() as held:
            space, size = held.model.space, held.model.input_size
        if size != _CROP:
            raise InputError(f"{space.model} wants crops of {size} pixels; stored are {_CROP}")
        if space == bound.space:
            return Migration(bound, space, 0)
        held_to = analyser.in_space(space)
        chosen = options or MigrateOptions()
        return _Move(held_to, self.gallery, bound, space, chosen, progress or _ignore).run()


_CROP = 112


def _ignore(_: int, __: int) -> None:
    """Tell nobody."""


@attrs.define(eq=False)
class _Move:
    """One migration under way."""

    analyser: Analyser
    gallery: GalleryRepo
    bound: Collection
    space: EmbeddingSpace
    options: MigrateOptions
    progress: Progress
    embedded: int = 0
    without_crop: dict[FaceId, None] = attrs.field(factory=dict)

    @property
    def name(self) -> str:
        return self.bound.name

    @property
    def staging(self) -> str:
        return staging_name(self.name)

    def run(self) -> Migration:
        self._open_staging()
        self._copy_persons()
        while True:
            missing = self._missing()
            self._embed(missing)
            if len(missing) > self.options.batch:
                continue  # more may have come meanwhile
            self._check_crops()
            self.gallery.prepare(self.staging)
            with self.gallery.transaction():
                migration = self._finish()
                if migration is not None:
                    return migration

    def _open_staging(self) -> None:
        """Make the second collection, or go on with the one that is there."""
        try:
            begun = self.gallery.collection(self.staging)
        except CollectionNotFoundError:
            self.gallery.create_collection(self._target(self.bound))
            return
        if begun.space != self.space:
            raise AlreadyExistsError(
                f"a migration of {self.name!r} to {begun.space.model!r} was begun",
                hint=f"go on with it, or delete the collection {self.staging!r}",
            )

    def _target(self, now: Collection) -> Collection:
        """Return the second collection: as the first, but for the threshold of the old model."""
        return attrs.evolve(now, name=self.staging, space=self.space, threshold=None)

    def _copy_persons(self) -> None:
        """Copy the persons that are new, the first enrolled first: that decides between equals."""
        there = {person.id for person in self.gallery.persons(self.staging)}
        fresh = [person for person in self.gallery.persons(self.name) if person.id not in there]
        fresh.sort(key=lambda person: person.created)
        for some in _portions(fresh, 1000):
            self.gallery.add_persons(self.staging, [(person, []) for person in some])

    def _missing(self) -> list[FaceId]:
        """Return the faces that are to be embedded, and are not in the second collection yet."""
        there = set(self.gallery.face_ids(self.staging))
        everything = list(self.gallery.face_ids(self.name))
        missing = [each for each in everything if each not in there]
        self.progress(len(everything) - len(missing), len(everything))
        return [each for each in missing if each not in self.without_crop]

    def _embed(self, missing: Sequence[FaceId]) -> None:
        """Embed faces and add them to the second collection, some at a time."""
        count = self.gallery.count
        for some in _portions(self._records(missing), self.options.batch):
            self._add(some)
            self.progress(count(self.staging).faces, count(self.name).faces)

    def _records(self, wanted: Sequence[FaceId]) -> Iterator[tuple[str, FaceRecord]]:
        """Yield (person id, face) of those that have a crop; note those that have none."""
        for person, each in groupby(wanted, key=lambda ids: ids[0]):
            chosen = {face for _, face in each}
            try:
                records = [face for _, face in self.gallery.faces(self.name, person)]
            except PersonNotFoundError:
                continue  # deleted a moment ago
            for record in records:
                if record.id in chosen and record.crop is None:
                    self.without_crop[person, record.id] = None
                elif record.id in chosen:
                    yield person, record

    def _add(self, some: Sequence[tuple[str, FaceRecord]]) -> None:
        crops = np.stack([record.crop for _, record in some if record.crop is not None])
        embeddings = self.analyser.embed_crops(crops)
        fresh = [
            (person, attrs.evolve(record, embedding=embedding))
            for (person, record), embedding in zip(some, embeddings, strict=True)
        ]
        with self.gallery.transaction():
            for person, owned in groupby(fresh, key=lambda each: each[0]):
                if self._is_there(person):
                    self.gallery.add_faces(self.staging, person, [face for _, face in owned])
        self.embedded += len(some)

    def _is_there(self, person: str) -> bool:
        """See to it that a person is in the second collection, unless deleted in the first."""
        try:
            self.gallery.person(self.staging, person)
        except PersonNotFoundError:
            try:
                owner = self.gallery.person(self.name, person)
            except PersonNotFoundError:
                return False
            self.gallery.add_person(self.staging, owner, [])
        return True

    def _check_crops(self) -> None:
        if self.without_crop and not self.options.drop_without_crop:
            faces = list(self.without_crop)
            raise CropsMissingError(
                f"{len(faces)} of the faces in {self.name!r} have no stored crop to embed anew",
                hint="enrol them again with crops, delete them, or say that they may be dropped",
                details={"faces": [list(each) for each in faces]},
            )

    def _finish(self) -> Migration | None:
        """Make both collections equal and put the second in place of the first.

        Runs in a transaction, so that nobody changes anything meanwhile. Returns None where too
        much came for that since the last look.
        """
        missing = self._missing()
        if len(missing) > self.options.batch:
            return None
        self._embed(missing)
        self._check_crops()
        self._forget_faces()
        self._match_persons()
        before = self.gallery.collection(self.name)
        self.gallery.update_collection(self._target(before))
        self.gallery.replace_collection(self.name, self.staging)
        now = self.gallery.collection(self.name)
        dropped = tuple(self.without_crop)
        return Migration(now, before.space, self.embedded, dropped, before.threshold)

    def _forget_faces(self) -> None:
        there = set(self.gallery.face_ids(self.name))
        for person, face in list(self.gallery.face_ids(self.staging)):
            if (person, face) not in there:
                self.gallery.delete_face(self.staging, face)
        for each in [each for each in self.without_crop if each not in there]:
            del self.without_crop[each]

    def _match_persons(self) -> None:
        """Add, change and delete persons as happened in the first collection."""
        there = {person.id: person for person in self.gallery.persons(self.staging)}
        for person in self.gallery.persons(self.name):
            known = there.pop(person.id, None)
            if known is None:
                self.gallery.add_person(self.staging, person, [])
            elif known != person:
                self.gallery.update_person(self.staging, person)
        for gone in there:
            self.gallery.delete_person(self.staging, gone)


def _portions(items: Iterable[ItemT], size: int) -> Iterator[list[ItemT]]:
    """Yield the items, so many at a time."""
    left = iter(items)
    while some := list(islice(left, size)):
        yield some
