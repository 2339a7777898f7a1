"""Streams and events, as the clients see them."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import attrs
import httpx
import pytest

from facecv.adapters.events.sqlite_store import SqliteEventStore
from facecv.core.errors import (
    InputError,
    ServiceError,
    StrangerNotFoundError,
    StreamNotFoundError,
    UnauthorizedError,
)
from facecv.core.event import EventQuery
from facecv.entrypoints.client.asynchronous import AsyncClient
from facecv.entrypoints.client.following import Following
from facecv.entrypoints.client.mjpeg import MjpegParts
from facecv.entrypoints.client.stream_results import RemoteEvent
from facecv.entrypoints.client.sync import Client
from facecv.entrypoints.client.wire import unreachable
from tests.core.services.test_strangers import seen
from tests.entrypoints.client.relay import Relay
from tests.entrypoints.http.served import picture
from tests.entrypoints.http.test_events import EVENTS, event
from tests.entrypoints.http.test_processes import PATIENCE, running
from tests.entrypoints.http.test_streams import until


@attrs.frozen
class Server:
    """A server process over the small world, and the file that its events are in."""

    url: str
    events: SqliteEventStore


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("server")
    with running(folder) as (_, http):
        store = SqliteEventStore(folder / "gallery.db")
        yield Server(str(http.base_url), store)
        store.close()


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    server.events.remove(EventQuery())
    with Client(server.url) as client:
        yield client


def test_a_stream_from_its_making_to_its_end(client: Client) -> None:
    made = client.create_stream("gate", "push:gate", collection="staff")
    assert (made.name, made.collection, made.enabled) == ("gate", "staff", True)
    assert [each.id for each in client.streams().items] == [made.id]
    until(lambda: _pushed(client, made.id), PATIENCE)
    shown = next(client.preview(made.id))
    assert (shown[:2], shown[-2:]) == (b"\xff\xd8", b"\xff\xd9")
    assert client.stream_state(made.id).state == "running"
    assert not client.update_stream(made.id, enabled=False).enabled
    assert client.stream(made.id).state.state == "stopped"
    client.delete_stream(made.id)
    with pytest.raises(StreamNotFoundError):
        client.stream(made.id)


def _pushed(client: Client, stream_id: str) -> bool:
    """Push a frame; return whether one has been watched."""
    try:
        return client.push_frame(stream_id, picture((20, 20, 112, 45))).frames > 0
    except InputError:  # not open yet
        return False


def test_events_are_listed(client: Client, server: Server) -> None:
    server.events.add([*EVENTS, attrs.evolve(seen(0, 0), crop=b"\xff\xd8jpeg")])
    first = client.events(order="oldest", limit=4, kind=["person.recognised", "stranger.seen"])
    assert [each.person and each.person.name for each in first.items] == [
        "Ann",
        "Bob",
        "Ann",
        "Zoe",
    ]
    found = client.events(order="oldest", cursor=first.next_cursor).items[-1]
    assert (found.kind, found.crop, found.time) == (
        "stranger.seen",
        b"\xff\xd8jpeg",
        seen(0, 0).time,
    )
    since = datetime(2026, 3, 1, 8, 2, tzinfo=UTC)
    (bob,) = client.events(since=since, person="id-Bob").items
    assert bob.box == [1, 2, 3, 4]


def test_what_is_made_of_events(client: Client, server: Server) -> None:
    server.events.add([*EVENTS, seen(1, 0), seen(2, 8)])
    ann, _ = client.attendance(collection="staff", zone="Europe/Oslo")
    assert (str(ann.day), ann.person.name, ann.visits) == ("2026-03-01", "Ann", 2)
    assert ann.first.isoformat() == "2026-03-01T09:01:00+01:00"
    (stranger,) = client.strangers(collection="staff")
    assert (stranger.seen, stranger.sources) == (2, ["door"])
    made = client.enroll_stranger(stranger.id, "Eve", collection="staff")
    assert (made.person.name, made.added) == ("Eve", 2)
    with pytest.raises(StrangerNotFoundError):
        client.enroll_stranger(stranger.id, "Eve", collection="staff")
    client.delete_collection("staff", force=True)


Follow = Callable[[str, int], list[RemoteEvent]]


def follow(url: str, count: int) -> list[RemoteEvent]:
    with Client(url) as client:
        return list(islice(client.follow_events(source="door"), count))


def follow_asynchronously(url: str, count: int) -> list[RemoteEvent]:
    async def some() -> list[RemoteEvent]:
        async with AsyncClient(url) as client:
            found: list[RemoteEvent] = []
            following: AsyncIterator[RemoteEvent] = client.follow_events(source="door")
            async for each in following:
                found.append(each)
                if len(found) == count:
                    break
            return found

    return asyncio.run(some())


@pytest.mark.parametrize("how", [follow, follow_asynchronously])
def test_broken_connections_cost_no_event(server: Server, how: Follow) -> None:
    """Each comes once and in order, whether it happened before, while or after one broke."""
    made = [event("face.appeared", number) for number in range(9)]
    found: list[RemoteEvent] = []
    with Relay(server.url) as relay:
        following = threading.Thread(target=lambda: found.extend(how(relay.url, len(made))))
        following.start()
        for start in range(0, len(made), 3):
            until(lambda: relay.answered > 0, PATIENCE)
            server.events.add(made[start : start + 2])
            relay.cut()
            server.events.add(made[start + 2 : start + 3])
        following.join(PATIENCE)
    assert [each.id for each in found] == [each.id for each in made]


class TestFollowing:
    """What is decided without a connection."""

    def following(self, after: str = "") -> tuple[Following, list[float]]:
        now = [0.0]
        return Following({"source": "door"}, after, 10.0, lambda: now[0]), now

    def test_an_event_that_was_cut_off_is_asked_for_again(self) -> None:
        following, _ = self.following("4")
        data = '{"id": "a", "kind": "face.left", "time": "2026-03-01T08:00:00Z", "source": "door"}'
        for line in (": events follow", "id: 5", ""):
            assert following.take(line) is None
        assert following.call().headers == {"Last-Event-ID": "5"}
        for line in ("id: 6", "event: face.left", f"data: {data}"):
            assert following.take(line) is None
        assert following.call().headers == {"Last-Event-ID": "5"}
        for line in ("id: 6", f"data: {data}"):
            assert following.take(line) is None
        found = following.take("")
        assert found is not None
        assert (found.id, found.position) == ("a", "6")
        assert following.call().headers == {"Last-Event-ID": "6"}

    def test_patience_ends(self) -> None:
        following, now = self.following()
        problem = unreachable(httpx.ConnectError("gone"))
        problem.__cause__ = httpx.ConnectError("gone")
        assert 0 < following.pause(problem) <= 5
        now[0] = 9.0
        following.take(": all is well")
        now[0] = 18.0
        assert following.pause(None) <= 5
        now[0] = 20.0
        with pytest.raises(ServiceError, match="gone"):
            following.pause(problem)
        with pytest.raises(ServiceError, match="no events any more"):
            following.pause(None)

    def test_a_refusal_is_raised_at_once(self) -> None:
        following, _ = self.following()
        with pytest.raises(UnauthorizedError):
            following.pause(UnauthorizedError("no", details={"status": 401}))
        assert following.pause(ServiceError("later", details={"status": 503})) > 0

    def test_nonsense_is_an_error(self) -> None:
        following, _ = self.following()
        following.take("data: {")
        with pytest.raises(ServiceError, match="not understood") as caught:
            following.take("")
        with pytest.raises(ServiceError, match="not understood"):
            following.pause(caught.value)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_pictures_are_put_together(size: int) -> None:
    """However they are cut, and whatever is in them."""
    pictures = [b"\xff\xd8one\r\n\r\nContent-Length: 9\r\n\r\n\xff\xd9", b"\xff\xd8two\xff\xd9"]
    text = b"--frame\r\n"
    for each in pictures:
        head = f"Content-Type: image/jpeg\r\nContent-Length: {len(each)}\r\n\r\n"
        text += head.encode() + each + b"\r\n--frame\r\n"
    parts = MjpegParts()
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert [found for piece in pieces for found in parts.feed(piece)] == pictures
