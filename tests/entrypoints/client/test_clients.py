"""Both clients against a real server."""

import asyncio
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import facecv
from facecv.core.errors import (
    AlreadyExistsError,
    CollectionNotFoundError,
    EmbeddingSpaceError,
    FaceNotFoundError,
    ServiceError,
    TimeLimitError,
)
from facecv.entrypoints.client.asynchronous import AsyncClient
from facecv.entrypoints.client.results import RemoteEmbedding
from facecv.entrypoints.client.sync import Client
from tests.entrypoints.http.served import picture
from tests.entrypoints.http.test_processes import PATIENCE, running
from tests.entrypoints.http.test_streams import until

ADA = picture((100, 100, 112, 40))
ADA_AGAIN = picture((20, 20, 112, 45))
EVE = picture((20, 20, 112, 240))
NOBODY = picture()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a server over the small world."""
    with running(tmp_path_factory.mktemp("server"), limits='{"images": 3}') as (_, http):
        yield str(http.base_url)


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with Client(url) as client:
        yield client


def test_the_public_names_are_these_classes() -> None:
    assert (facecv.Client, facecv.AsyncClient) == (Client, AsyncClient)


def test_looking_at_pictures(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "ada.png"
    file.write_bytes(ADA)
    (face,) = client.detect(file, score_threshold=0.3).faces
    assert face.box.pixels.width == 112
    (face,) = client.analyze(ADA, attributes=["blue"], quality=False).faces
    assert face.quality is None
    assert face.attributes is not None
    assert set(face.attributes) == {"blue"}
    assert client.draw(ADA, format="png").startswith(b"\x89PNG")
    (embedded,) = client.embed(ADA).faces
    assert embedded.embedding is not None
    assert client.verify(embedded.embedding, ADA_AGAIN).match
    with pytest.raises(FaceNotFoundError):
        client.embed(NOBODY)


def test_a_collection_from_its_making_to_its_end(client: Client) -> None:
    made = client.create_collection("staff", threshold=0.5, store_crops=True)
    assert (made.threshold, made.persons) == (0.5, 0)
    done = client.enroll("staff", "Ada", [ADA, NOBODY], metadata={"team": 1})
    assert [image.status for image in done.images] == ["enrolled"]
    assert [image.reason for image in done.rejected_images] == ["face_not_found"]
    ada = done.person.id
    client.add_faces("staff", ada, [ADA_AGAIN])
    client.enroll("staff", "Eve", [EVE])
    first = client.persons("staff", limit=1)
    rest = client.persons("staff", cursor=first.next_cursor)
    assert {each.name for each in first.items + rest.items} == {"Ada", "Eve"}
    assert client.update_person("staff", ada, metadata={"team": 2}).metadata == {"team": 2}
    (found,) = client.search("staff", ADA, where={"team": 2}, faces="largest")
    assert found.person is not None
    assert (found.status, found.person.name) == ("match", "Ada")
    assert client.load("copy", client.export("staff")).faces == 3
    face, *_ = client.faces("staff", ada).items
    assert client.face_image("staff", ada, face.id).startswith(b"\xff\xd8")
    client.delete_face("staff", ada, face.id)
    assert client.person("staff", ada).faces == 1
    assert [each.name for each in client.delete_persons("staff", "Eve")] == ["Eve"]
    client.delete_person("staff", ada)
    assert client.update_collection("staff", threshold=None).threshold is None
    client.delete_collection("staff")
    client.delete_collection("copy", force=True)
    assert client.collections().items == []


def test_errors_are_those_of_the_engine(client: Client) -> None:
    with pytest.raises(CollectionNotFoundError, match="nowhere"):
        client.collection("nowhere")
    with pytest.raises(CollectionNotFoundError):
        list(client.export("nowhere"))
    client.create_collection("taken")
    with pytest.raises(AlreadyExistsError) as caught:
        client.create_collection("taken")
    assert caught.value.details["status"] == 409
    space = {"model": "other", "dim": 2, "digest": "0", "preprocessing": "none"}
    with pytest.raises(EmbeddingSpaceError):
        client.search("taken", RemoteEmbedding([1.0, 0.0], space))


def test_the_server_itself(client: Client) -> None:
    assert client.live()["status"] == "live"
    assert client.ready()
    assert client.system()
    assert client.models()["loaded"]
    assert client.jobs() == []
    assert client.performance()
    assert "facecv_resident_bytes" in client.metrics()


def zipped(picture: bytes, count: int) -> bytes:
    """Return a zip file that has a picture several times."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number}.png", picture)
    return file.getvalue()


def test_many_pictures_at_once(client: Client) -> None:
    """As they are ready, or as a job; a zip file of too many becomes a job anyway."""
    items = list(client.batch("detect", [ADA, NOBODY]))
    assert [len(item["result"]["faces"]) for item in items] == [1, 0]
    with pytest.raises(ServiceError, match="job") as caught:
        list(client.batch("detect", [zipped(ADA, 4)]))
    jobs = [str(caught.value.details["job"]), client.start_batch("detect", [ADA]).id]
    until(lambda: {client.job(each).state for each in jobs} == {"done"}, PATIENCE)
    assert [len(client.job(each).result["items"]) for each in jobs] == [4, 1]
    assert client.cancel_job(jobs[0]).state == "done"


def test_a_collection_moves(client: Client) -> None:
    """As a job, which says why it cannot."""
    client.create_collection("old")
    moving = [client.migrate("old", model) for model in ("world", "no-such-model")]
    until(lambda: all(client.job(each.id).state in {"done", "failed"} for each in moving), PATIENCE)
    error = client.job(moving[1].id).error
    assert error is not None
    assert error["code"] == "model_not_found"
    client.delete_collection("old")


def test_asynchronously(url: str) -> None:
    async def use() -> None:
        async with AsyncClient(url) as client:
            pictures = [ADA, EVE, NOBODY]
            found = await asyncio.gather(*map(client.detect, pictures))
            assert [len(each.faces) for each in found] == [1, 1, 0]
            await client.create_collection("later")
            await client.enroll("later", "Ada", [ADA])
            assert (await client.load("copy", client.export("later"))).faces == 1
            with pytest.raises(CollectionNotFoundError):
                await client.collection("nowhere")

    asyncio.run(use())


class TestRetries:
    """Requests are repeated only where that is safe."""

    def answers(self, *replies: httpx.Response | Exception) -> tuple[Client, list[str]]:
        asked: list[str] = []
        left = iter(replies)

        def reply(request: httpx.Request) -> httpx.Response:
            asked.append(request.method)
            following = next(left)
            if isinstance(following, Exception):
                raise following
            return following

        return Client("http://x", transport=httpx.MockTransport(reply)), asked

    def busy(self) -> httpx.Response:
        error = {"code": "overloaded", "message": "busy", "details": {}}
        return httpx.Response(503, json={"error": error}, headers={"Retry-After": "0"})

    def test_where_the_server_says_when(self) -> None:
        found = {"image": {"width": 1, "height": 1}, "faces": []}
        client, asked = self.answers(self.busy(), httpx.Response(200, json=found))
        assert client.detect(b"x").faces == []
        assert asked == ["POST", "POST"]

    def test_not_what_may_still_be_done(self) -> None:
        late = {"code": "time_limit", "message": "late", "details": {}}
        reply = httpx.Response(503, json={"error": late}, headers={"Retry-After": "0"})
        client, asked = self.answers(reply)
        with pytest.raises(TimeLimitError):
            client.enroll("staff", "Ada", [b"x"])
        assert asked == ["POST"]

    def test_not_what_can_be_sent_only_once(self) -> None:
        """An import that is read while it is sent would begin in its middle."""
        client, asked = self.answers(self.busy())
        with pytest.raises(ServiceError, match="busy"):
            client.load("staff", iter(["{}"]))
        assert asked == ["POST"]

    def test_not_for_ever(self) -> None:
        client, asked = self.answers(*(self.busy() for _ in range(9)))
        with pytest.raises(ServiceError, match="busy"):
            client.detect(b"x")
        assert len(asked) == 3

    def test_broken_connections_only_of_requests_that_may_be_repeated(self) -> None:
        broken = httpx.ConnectError("gone")
        client, asked = self.answers(broken, httpx.Response(200, json={"jobs": []}))
        assert client.jobs() == []
        client, asked = self.answers(broken)
        with pytest.raises(ServiceError, match="cannot be reached"):
            client.enroll("staff", "Ada", [b"x"])
        assert asked == ["POST"]
