"""Collections, persons and faces."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from typing import Any

from facecv.core.gallery import Metadata
from facecv.entrypoints.client.asynchronous.connection import AsyncConnection
from facecv.entrypoints.client.calls import gallery as calls
from facecv.entrypoints.client.results import (
    Added,
    Enrolled,
    EnrolledFace,
    FoundFace,
    Page,
    RemoteCollection,
    RemoteEmbedding,
    RemoteJob,
    RemotePerson,
)
from facecv.entrypoints.client.wire import Picture, encoded


class AsyncGalleryOperations(AsyncConnection):
    """Operations on collections."""

    async def create_collection(self, name: str, **settings: Any) -> RemoteCollection:  # noqa: ANN401 - likewise
        """Make a collection."""
        return await self._do(calls.create_collection(name, settings))

    async def collections(
        self, *, limit: int = 50, cursor: str | None = None
    ) -> Page[RemoteCollection]:
        """Return a page of collections."""
        return await self._do(calls.collections(limit, cursor))

    async def collection(self, name: str) -> RemoteCollection:
        """Return a collection."""
        return await self._do(calls.collection(name))

    async def update_collection(self, name: str, **changes: Any) -> RemoteCollection:  # noqa: ANN401 - likewise
        """Change settings of a collection; None takes one away."""
        return await self._do(calls.update_collection(name, changes))

    async def delete_collection(self, name: str, *, force: bool = False) -> None:
        """Delete a collection; one with persons only with `force`."""
        await self._do(calls.delete_collection(name, force=force))

    def export(self, name: str) -> AsyncIterator[str]:
        """Yield a collection as lines of JSON, as they come."""
        return self._lines(calls.export(name))

    async def load(self, name: str, lines: Iterable[str] | AsyncIterable[str]) -> Added:
        """Add what `export` gave, sent line by line as it comes."""
        return await self._do(calls.load(name, _encoded(lines)))

    async def enroll(
        self,
        collection: str,
        name: str,
        photos: Sequence[Picture],
        *,
        metadata: Metadata | None = None,
        **options: Any,  # noqa: ANN401 - the service's
    ) -> Enrolled:
        """Enrol a person with photos."""
        return await self._do(calls.enroll(collection, name, photos, metadata or {}, options))

    async def persons(
        self,
        collection: str,
        *,
        name: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[RemotePerson]:
        """Return a page of persons."""
        return await self._do(calls.persons(collection, name, limit, cursor))

    async def person(self, collection: str, person_id: str) -> RemotePerson:
        """Return a person."""
        return await self._do(calls.person(collection, person_id))

    async def update_person(self, collection: str, person_id: str, **changes: Any) -> RemotePerson:  # noqa: ANN401 - likewise
        """Change a person's name or metadata."""
        return await self._do(calls.update_person(collection, person_id, changes))

    async def delete_person(self, collection: str, person_id: str) -> None:
        """Delete a person with all faces."""
        await self._do(calls.delete_person(collection, person_id))

    async def delete_persons(self, collection: str, name: str) -> list[RemotePerson]:
        """Delete everybody of a name; return who that was."""
        return await self._do(calls.delete_persons(collection, name))

    async def add_faces(
        self,
        collection: str,
        person_id: str,
        photos: Sequence[Picture],
        **options: Any,  # noqa: ANN401 - the service's
    ) -> Enrolled:
        """Add the largest face of each photo to a person."""
        return await self._do(calls.add_faces(collection, person_id, photos, options))

    async def faces(
        self, collection: str, person_id: str, *, limit: int = 50, cursor: str | None = None
    ) -> Page[EnrolledFace]:
        """Return a page of a person's faces."""
        return await self._do(calls.faces(collection, person_id, limit, cursor))

    async def delete_face(self, collection: str, person_id: str, face_id: str) -> None:
        """Delete a face."""
        await self._do(calls.delete_face(collection, person_id, face_id))

    async def face_image(self, collection: str, person_id: str, face_id: str) -> bytes:
        """Return the stored crop of a face, a JPEG file."""
        return await self._do(calls.face_image(collection, person_id, face_id))

    async def search(
        self,
        collection: str,
        probe: Picture | RemoteEmbedding,
        **options: Any,  # noqa: ANN401 - the service's
    ) -> list[FoundFace]:
        """Return who the faces of a picture are, or whose an embedding is."""
        return await self._do(calls.search(collection, probe, options))

    async def migrate(self, name: str, model: str, **options: Any) -> RemoteJob:  # noqa: ANN401 - likewise
        """Move a collection to another model, as a job."""
        return await self._do(calls.migrate(name, model, options))


async def _encoded(lines: Iterable[str] | AsyncIterable[str]) -> AsyncIterator[bytes]:
    if isinstance(lines, AsyncIterable):
        async for line in lines:
            yield encoded(line)
    else:
        for line in lines:
            yield encoded(line)
