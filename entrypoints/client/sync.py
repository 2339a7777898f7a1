"""The client that waits for each answer."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import httpx

from facecv.core.gallery import Metadata
from facecv.entrypoints.client import calls
from facecv.entrypoints.client.calls import Json
from facecv.entrypoints.client.results import (
    Added,
    Comparison,
    Enrolled,
    EnrolledFace,
    FacesFound,
    FoundFace,
    Page,
    RemoteCollection,
    RemoteEmbedding,
    RemoteJob,
    RemotePerson,
)
from facecv.entrypoints.client.wire import Call, Picture, check, unreachable

ResultT = TypeVar("ResultT")


class Client:
    """A client of ``facecv serve``. Safe to use from several threads.

    Options are those of the service, by their names there. Methods raise what the server answers,
    as the class of `facecv.core.errors` that it is, and `ServiceError` where it cannot be reached.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:7002",
        *,
        key: str = "",
        timeout: float = 65.0,
        retries: int = 2,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Make a client; nothing is asked yet.

        Args:
            url: of the server.
            key: an API key; empty: none.
            timeout: seconds that one answer may take.
            retries: how often a request is repeated where that is safe.
            transport: httpx's, for tests.
        """
        headers = {"X-API-Key": key} if key else {}
        self._retries = retries
        self._http = httpx.Client(
            base_url=url.rstrip("/"), headers=headers, timeout=timeout, transport=transport
        )

    def close(self) -> None:
        """Close the connections. May be called twice."""
        self._http.close()

    def __enter__(self) -> Self:
        """Return the client, to be closed at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the client."""
        self.close()

    def live(self) -> Json:
        """Return whether the server runs."""
        return self._do(calls.ask("/v1/health/live"))

    def ready(self) -> Json:
        """Return whether the server is ready; raise `NotReadyError` if it is not."""
        return self._do(calls.ask("/v1/health/ready"))

    def system(self) -> Json:
        """Return what the server says about itself."""
        return self._do(calls.ask("/v1/system"))

    def performance(self) -> Json:
        """Return throughput and times of the last minutes."""
        return self._do(calls.ask("/v1/performance"))

    def detect(self, image: Picture, **options: Any) -> FacesFound:  # noqa: ANN401 - the service's
        """Return the faces of a picture."""
        return self._do(calls.look("detect", image, options))

    def analyze(self, image: Picture, **options: Any) -> FacesFound:  # noqa: ANN401 - likewise
        """Return all about the faces of a picture."""
        return self._do(calls.look("analyze", image, options))

    def embed(self, image: Picture, **options: Any) -> FacesFound:  # noqa: ANN401 - likewise
        """Return the faces of a picture with embeddings; one without a face is an error."""
        return self._do(calls.look("embed", image, options))

    def draw(self, image: Picture, **options: Any) -> bytes:  # noqa: ANN401 - likewise
        """Return the picture with its faces marked, as a file."""
        return self._do(calls.draw(image, options))

    def verify(
        self,
        one: Picture | RemoteEmbedding,
        other: Picture | RemoteEmbedding,
        **options: Any,  # noqa: ANN401 - the service's
    ) -> Comparison:
        """Return whether two pictures, or embeddings, are of one person."""
        return self._do(calls.verify(one, other, options))

    def create_collection(self, name: str, **settings: Any) -> RemoteCollection:  # noqa: ANN401 - likewise
        """Make a collection."""
        return self._do(calls.create_collection(name, settings))

    def collections(self, *, limit: int = 50, cursor: str | None = None) -> Page[RemoteCollection]:
        """Return a page of collections."""
        return self._do(calls.collections(limit, cursor))

    def collection(self, name: str) -> RemoteCollection:
        """Return a collection."""
        return self._do(calls.collection(name))

    def update_collection(self, name: str, **changes: Any) -> RemoteCollection:  # noqa: ANN401 - likewise
        """Change settings of a collection; None takes one away."""
        return self._do(calls.update_collection(name, changes))

    def delete_collection(self, name: str, *, force: bool = False) -> None:
        """Delete a collection; one with persons only with `force`."""
        self._do(calls.delete_collection(name, force=force))

    def export(self, name: str) -> Iterator[str]:
        """Yield a collection as lines of JSON, as they come."""
        return self._lines(calls.export(name))

    def load(self, name: str, lines: Iterable[str]) -> Added:
        """Add what `export` gave."""
        return self._do(calls.load(name, "\n".join(lines).encode()))

    def enroll(
        self,
        collection: str,
        name: str,
        photos: Sequence[Picture],
        *,
        metadata: Metadata | None = None,
        **options: Any,  # noqa: ANN401 - the service's
    ) -> Enrolled:
        """Enrol a person with photos."""
        return self._do(calls.enroll(collection, name, photos, metadata or {}, options))

    def persons(
        self,
        collection: str,
        *,
        name: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[RemotePerson]:
        """Return a page of persons."""
        return self._do(calls.persons(collection, name, limit, cursor))

    def person(self, collection: str, person_id: str) -> RemotePerson:
        """Return a person."""
        return self._do(calls.person(collection, person_id))

    def update_person(self, collection: str, person_id: str, **changes: Any) -> RemotePerson:  # noqa: ANN401 - likewise
        """Change a person's name or metadata."""
        return self._do(calls.update_person(collection, person_id, changes))

    def delete_person(self, collection: str, person_id: str) -> None:
        """Delete a person with all faces."""
        self._do(calls.delete_person(collection, person_id))

    def delete_persons(self, collection: str, name: str) -> list[RemotePerson]:
        """Delete everybody of a name; return who that was."""
        return self._do(calls.delete_persons(collection, name))

    def add_faces(
        self,
        collection: str,
        person_id: str,
        photos: Sequence[Picture],
        **options: Any,  # noqa: ANN401 - the service's
    ) -> Enrolled:
        """Add the largest face of each photo to a person."""
        return self._do(calls.add_faces(collection, person_id, photos, options))

    def faces(
        self, collection: str, person_id: str, *, limit: int = 50, cursor: str | None = None
    ) -> Page[EnrolledFace]:
        """Return a page of a person's faces."""
        return self._do(calls.faces(collection, person_id, limit, cursor))

    def delete_face(self, collection: str, person_id: str, face_id: str) -> None:
        """Delete a face."""
        self._do(calls.delete_face(collection, person_id, face_id))

    def face_image(self, collection: str, person_id: str, face_id: str) -> bytes:
        """Return the stored crop of a face, a JPEG file."""
        return self._do(calls.face_image(collection, person_id, face_id))

    def search(
        self,
        collection: str,
        probe: Picture | RemoteEmbedding,
        **options: Any,  # noqa: ANN401 - the service's
    ) -> list[FoundFace]:
        """Return who the faces of a picture are, or whose an embedding is."""
        return self._do(calls.search(collection, probe, options))

    def batch(
        self,
        operation: Literal["detect", "analyze", "enroll", "search", "verify"],
        images: Iterable[Picture],
        **options: Any,  # noqa: ANN401 - the service's
    ) -> Iterator[Json]:
        """Yield the items of a batch as they are ready."""
        return map(json.loads, self._lines(calls.batch(operation, images, options)))

    def models(self) -> Json:
        """Return packs and models."""
        return self._do(calls.ask("/v1/models"))

    def load_model(self, kind: str, model: str = "", *, wait: bool = True) -> Json:
        """Load a model beside the others."""
        return self._do(calls.change_model("load", {"kind": kind, "model": model, "wait": wait}))

    def unload_model(self, kind: str, model: str = "") -> Json:
        """Take a model out of memory."""
        return self._do(calls.change_model("unload", {"kind": kind, "model": model}))

    def switch_model(self, kind: str, model: str, *, keep: bool = False) -> Json:
        """Make another model the default of its task."""
        return self._do(calls.change_model("switch", {"kind": kind, "model": model, "keep": keep}))

    def pull_pack(self, pack: str) -> RemoteJob:
        """Download a pack, as a job."""
        return self._do(calls.pull(pack))

    def verify_pack(self, pack: str) -> Json:
        """Compare the files of a pack with their digests."""
        return self._do(calls.verify_pack(pack))

    def remove_pack(self, pack: str) -> Json:
        """Delete the files of a pack."""
        return self._do(calls.remove_pack(pack))

    def jobs(self) -> list[RemoteJob]:
        """Return all jobs."""
        return self._do(calls.jobs())

    def job(self, job_id: str) -> RemoteJob:
        """Return a job."""
        return self._do(calls.job(job_id))

    def cancel_job(self, job_id: str) -> RemoteJob:
        """Cancel a job."""
        return self._do(calls.cancel_job(job_id))

    def _do(self, call: Call[ResultT]) -> ResultT:
        answer = self._send(call, stream=False)
        check(answer)
        return call.read(answer)

    def _lines(self, call: Call[Any]) -> Iterator[str]:
        answer = self._send(call, stream=True)
        try:
            check(answer)
            yield from answer.iter_lines()
        except httpx.HTTPError as error:
            raise unreachable(error) from error
        finally:
            answer.close()

    def _send(self, call: Call[Any], *, stream: bool) -> httpx.Response:
        attempt = 0
        while True:
            attempt += 1
            answer, broken = None, None
            try:
                request = self._http.build_request(**call.arguments())
                answer = self._http.send(request, stream=stream)
                if not answer.is_success:
                    answer.read()
            except httpx.HTTPError as error:
                broken = error
            wait = call.wait(answer, attempt, self._retries)
            if wait is None:
                if answer is None and broken is not None:
                    raise unreachable(broken) from broken
                if answer is not None:
                    return answer
            if answer is not None:
                answer.close()
            time.sleep(wait or 0.0)
