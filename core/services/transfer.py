"""Galleries as text: JSON Lines that any gallery can write and any other can read.

A file is a header, then for each collection its line, its persons' lines and, after each person,
the faces; the last line says how many there were, so that a file cut short is noticed. Vectors are
little-endian float32 in base64: what comes back is what went out, bit by bit.
"""

from collections.abc import Iterable, Iterator

import attrs

from facecv.core.embedding import EmbeddingSpace, check_same_space
from facecv.core.errors import CollectionNotFoundError, InputError, PersonNotFoundError
from facecv.core.gallery import Collection, Counts, FaceRecord, Person
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.core.services.permit import may_keep
from facecv.core.services.transfer_lines import (
    Line,
    as_collection,
    as_counts,
    as_face,
    as_person,
    check_header,
    collection_line,
    end_line,
    face_line,
    header_line,
    person_line,
    read_lines,
)

_PAGE = 500
_NEXT = frozenset({"collection", "end"})
_FOLLOWERS = {
    "header": _NEXT,
    "collection": _NEXT | {"person"},
    "person": _NEXT | {"person", "face"},
    "face": _NEXT | {"person", "face"},
    "end": frozenset[str](),
}
"""Which types of line may follow which."""


def export_lines(repo: GalleryRepo, collection: str | None = None) -> Iterator[str]:
    """Yield a collection, or all of them, as lines without line ends.

    Others may write meanwhile: a person that comes or goes is in or not, as a whole line. To get
    one moment, consume it inside `repo.transaction()`.

    Raises:
        CollectionNotFoundError: there is no such collection.
    """
    chosen = repo.collections() if collection is None else [repo.collection(collection)]
    return _lines(repo, chosen)


def _lines(repo: GalleryRepo, collections: list[Collection]) -> Iterator[str]:
    persons = faces = 0
    yield header_line()
    for collection in collections:
        yield collection_line(collection)
        for person, records in _contents(repo, collection.name):
            yield person_line(person)
            yield from map(face_line, records)
            persons += 1
            faces += len(records)
    yield end_line(Counts(persons, faces))


def _contents(repo: GalleryRepo, collection: str) -> Iterator[tuple[Person, list[FaceRecord]]]:
    """Yield persons and their faces, a page of persons at a time."""
    after = ""
    while page := repo.persons(collection, after=after, limit=_PAGE):
        for person in page:
            try:
                yield person, [face for _, face in repo.faces(collection, person.id)]
            except PersonNotFoundError:
                continue  # deleted since the page was read
        after = page[-1].id


def import_lines(
    repo: GalleryRepo,
    lines: Iterable[str],
    *,
    collection: str | None = None,
    space: EmbeddingSpace | None = None,
    merge: bool = False,
) -> Counts:
    """Add what `export_lines` wrote, all or nothing, and return how much it was.

    Args:
        repo: where to add it.
        lines: lines with or without line ends; empty ones are skipped.
        collection: the name to give to the one collection in there; None: its own.
        space: the only space that is accepted; None: any.
        merge: add to a collection that exists already (its own settings stay); otherwise that is
            an error.

    Raises:
        InputError: a line cannot be read, or does not belong where it is.
        EmbeddingSpaceError: a collection is of another space than `space`, or than the collection
            it is merged into.
        AlreadyExistsError: a collection, or a person's or face's id, is there already.

    Every error names the line.
    """
    target = _Import(repo, collection, space, merge)
    with repo.transaction():
        for line in read_lines(lines):
            with line.blamed():
                target.take(line)
        target.check_finished()
        may_keep()
    return target.counts


@attrs.define(eq=False)
class _Pending:
    """A person whose faces are still coming, and the line it stands on."""

    line: Line
    person: Person
    faces: list[FaceRecord] = attrs.field(factory=list)


@attrs.define(eq=False)
class _Import:
    """An import under way: a person is stored when the line after the last face has come."""

    repo: GalleryRepo
    rename: str | None
    space: EmbeddingSpace | None
    merge: bool
    counts: Counts = attrs.field(init=False, factory=lambda: Counts(0, 0))
    _allowed: frozenset[str] = attrs.field(init=False, default=frozenset({"header"}))
    _collection: Collection | None = attrs.field(init=False, default=None)
    _person: _Pending | None = attrs.field(init=False, default=None)

    def take(self, line: Line) -> None:
        """Act on a line.

        Raises:
            InputError: it is of no known type, or not of one that may come here.
        """
        kind = line.text("type")
        if kind not in self._allowed:
            wanted = " or ".join(sorted(self._allowed)) or "nothing"
            raise InputError(f"a line of type {kind!r} where {wanted} was expected")
        steps = {
            "header": self._header,
            "collection": self._begin_collection,
            "person": self._begin_person,
            "face": self._add_face,
            "end": self._end,
        }
        steps[kind](line)
        self._allowed = _FOLLOWERS[kind]

    def check_finished(self) -> None:
        """Raise `InputError` unless the last line was seen."""
        if self._allowed:
            raise InputError(
                "the export is cut short: its last line is missing", hint="export it again"
            )

    def _header(self, line: Line) -> None:
        check_header(line)

    def _begin_collection(self, line: Line) -> None:
        self._store_person()
        if self._collection is not None and self.rename is not None:
            raise InputError(
                f"there is more than one collection here; not all can become {self.rename!r}"
            )
        made = as_collection(line)
        if self.rename is not None:
            made = attrs.evolve(made, name=self.rename)
        if self.space is not None:
            check_same_space(self.space, made.space)
        self._collection = made
        if not self.merge or not self._exists(made):
            self.repo.create_collection(made)

    def _exists(self, made: Collection) -> bool:
        """Return whether the collection is there; raise `EmbeddingSpaceError` if it differs."""
        try:
            there = self.repo.collection(made.name)
        except CollectionNotFoundError:
            return False
        check_same_space(there.space, made.space)
        return True

    def _begin_person(self, line: Line) -> None:
        self._store_person()
        self._person = _Pending(line, as_person(line))

    def _add_face(self, line: Line) -> None:
        if self._person is None or self._collection is None:  # the order of lines forbids it
            raise InputError("a face without a person")
        self._person.faces.append(as_face(line, self._collection.space))

    def _store_person(self) -> None:
        pending, self._person = self._person, None
        if pending is None or self._collection is None:
            return
        with pending.line.blamed():
            self.repo.add_person(self._collection.name, pending.person, pending.faces)
        self.counts = Counts(self.counts.persons + 1, self.counts.faces + len(pending.faces))

    def _end(self, line: Line) -> None:
        self._store_person()
        if as_counts(line) != self.counts:
            raise InputError(
                f"{as_counts(line)} were written, {self.counts} are here", hint="export it again"
            )
