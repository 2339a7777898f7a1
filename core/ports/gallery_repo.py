"""Port: where enrolled faces are kept and searched."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from facecv.core.embedding import Embedding
from facecv.core.gallery import (
    NO_METADATA,
    Collection,
    Counts,
    FaceRecord,
    Match,
    Metadata,
    NewPerson,
    Person,
    SearchQuery,
)


class GalleryRepo(Protocol):
    """Keeps collections of persons and their faces, and searches them.

    Every method that changes something is atomic and durable when it returns. Methods raise
    `CollectionNotFoundError`, `PersonNotFoundError` or `FaceRecordNotFoundError` where what they
    name is not there, and `EmbeddingSpaceError` where an embedding is not of the collection's
    space.
    """

    def transaction(self) -> AbstractContextManager[None]:
        """Return a context in which all changes of this thread are kept together, or not at all.

        May be nested: an inner one that fails undoes its own changes, and nothing is kept before
        the outermost one ends.
        """
        ...

    def create_collection(self, collection: Collection, /) -> None:
        """Add an empty collection; raise `AlreadyExistsError` if its name is taken."""
        ...

    def collection(self, name: str, /) -> Collection:
        """Return a collection."""
        ...

    def collections(self) -> list[Collection]:
        """Return all collections, by name."""
        ...

    def update_collection(self, collection: Collection, /) -> None:
        """Replace threshold, margin, crop storage and metadata of the collection of that name.

        Raises:
            EmbeddingSpaceError: the space is not the collection's.
        """
        ...

    def delete_collection(self, name: str, /) -> None:
        """Delete a collection with all its persons and faces."""
        ...

    def replace_collection(self, name: str, by: str, /) -> None:
        """Delete the collection `name`, and give its name to the collection `by`.

        Its space may be another one. Nobody ever sees neither of the two, or both, as `name`.
        """
        ...

    def add_person(self, collection: str, person: Person, faces: Sequence[FaceRecord], /) -> None:
        """Add a person with any number of faces, all or nothing.

        Raises:
            AlreadyExistsError: the person's id, or a face's, is taken.
        """
        ...

    def add_persons(self, collection: str, persons: Sequence[NewPerson], /) -> None:
        """Add persons with their faces, all or nothing; much cheaper than one by one.

        Raises:
            AlreadyExistsError: the id of a person, or of a face, is taken.
        """
        ...

    def add_faces(self, collection: str, person_id: str, faces: Sequence[FaceRecord], /) -> None:
        """Add faces to a person, all or nothing."""
        ...

    def person(self, collection: str, person_id: str, /) -> Person:
        """Return a person by id."""
        ...

    def persons(
        self,
        collection: str,
        /,
        *,
        name: str | None = None,
        where: Metadata = NO_METADATA,
        after: str = "",
        limit: int = 0,
    ) -> list[Person]:
        """Return persons by rising id.

        Args:
            collection: name of the collection.
            name: only persons of exactly this name.
            where: only persons whose metadata has all these values; found without a scan.
            after: only ids greater than this one (a cursor).
            limit: the most to return; 0: all.
        """
        ...

    def update_person(self, collection: str, person: Person, /) -> None:
        """Replace name and metadata of the person with that id."""
        ...

    def delete_person(self, collection: str, person_id: str, /) -> None:
        """Delete a person with all faces."""
        ...

    def faces(
        self, collection: str, person_id: str | None = None, /
    ) -> Iterator[tuple[str, FaceRecord]]:
        """Yield (person id, face) of a person, or of the whole collection, by rising ids.

        Rising by person id, then by face id. Faces that come or go meanwhile may be seen or not.
        """
        ...

    def face_ids(self, collection: str, /) -> Iterator[tuple[str, str]]:
        """Yield (person id, face id) of the whole collection, in the order of `faces`.

        Much cheaper than `faces`: no vector and no crop is read.
        """
        ...

    def delete_face(self, collection: str, face_id: str, /) -> None:
        """Delete one face; its person stays."""
        ...

    def count(self, collection: str, /) -> Counts:
        """Return how many persons and faces a collection has."""
        ...

    def search(
        self, collection: str, probes: Sequence[Embedding], query: SearchQuery, /
    ) -> list[list[Match]]:
        """Return, for each probe, the persons most like it, by falling similarity.

        A person appears once, with the most alike of its faces; of equally alike persons the one
        enrolled first comes first. Similarities are exact cosines, to six decimals.
        """
        ...

    def prepare(self, collection: str, /) -> None:
        """Read or build whatever makes searches in a collection fast; return when it is ready.

        Searches are right without it, and may be slower. A large collection may take minutes.
        """
        ...

    def close(self) -> None:
        """Release files and connections. May be called twice."""
        ...
