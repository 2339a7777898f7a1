"""Events as they happen: over WebSockets, as server-sent events, after a broken connection."""

import asyncio
import json
import signal
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

import attrs
import httpx
import pytest
from litestar.exceptions import WebSocketDisconnect
from websockets.sync.client import connect

from facecv.adapters.events.memory_store import MemoryEventStore
from facecv.adapters.events.sqlite_store import SqliteEventStore
from facecv.core.event import Event, EventQuery, event_json
from facecv.entrypoints.http.event_feed import EventFeed
from facecv.entrypoints.http.event_hub import EventHub
from facecv.entrypoints.http.impatient import impatient
from facecv.entrypoints.keys import KeyFile
from tests.entrypoints.http.served import PNG, Client, open_client, picture, service_of
from tests.entrypoints.http.test_events import EVENTS, event
from tests.entrypoints.http.test_processes import running
from tests.entrypoints.http.test_streams import until


def tell(client: Client, events: Sequence[Event]) -> None:
    """Let events happen."""
    service = service_of(client)
    for each in events:
        service.engine.parts.events.get().add([each])
        service.streams.hub.emit(event_json(each))


def sent(text: str) -> list[tuple[str, str, Any]]:
    """Return id, kind and data of the server-sent events in a text."""
    fields = [
        dict(line.split(": ", 1) for line in block.split("\n"))
        for block in text.split("\n\n")
        if "data:" in block
    ]
    return [(each["id"], each["event"], json.loads(each["data"])) for each in fields]


@contextmanager
def followed(client: Client, query: str = "", last: str = "") -> Iterator[list[httpx.Response]]:
    """Follow events inside the context; the answer is in the list after it."""
    hub, answers = service_of(client).streams.hub, list[httpx.Response]()
    headers = {"Last-Event-ID": last} if last else {}

    def follow() -> None:
        answers.append(client.get(f"/v1/events/stream{query}", headers=headers))

    following = threading.Thread(target=follow)
    following.start()
    until(lambda: hub.room.inside == 1)
    yield answers
    hub.close()
    following.join(20)


def test_events_are_followed_by_socket(client: Client) -> None:
    """Those that were asked for; it closes when the server stops."""
    hub = service_of(client).streams.hub
    with client.websocket_connect("/v1/events/ws?kind=person.recognised&source=door") as socket:
        until(lambda: hub.room.inside == 1)
        tell(client, EVENTS)
        told = [json.loads(socket.receive_text(timeout=10)) for _ in range(4)]
        assert told == [event_json(each) for each in EVENTS[1:]]
        hub.close()
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text(timeout=10)
        assert closed.value.code == 1001
    until(lambda: hub.room.inside == 0)


def test_a_socket_that_closes_is_forgotten(client: Client) -> None:
    hub = service_of(client).streams.hub
    with client.websocket_connect("/v1/events/ws"):
        until(lambda: hub.room.inside == 1)
    until(lambda: hub.room.inside == 0)


def test_events_are_followed_as_server_sent_events(client: Client) -> None:
    """Those from now on, and of those only what was asked for."""
    tell(client, [event("person.recognised", 1, "Old", "guests")])
    with followed(client, "?collection=guests") as answers:
        tell(client, EVENTS)
    (answer,) = answers
    assert answer.headers["content-type"].startswith("text/event-stream")
    ((_, kind, told),) = sent(answer.text)
    assert kind == "person.recognised"
    assert told == event_json(EVENTS[-1])


def test_who_comes_back_is_told_what_was_missed(tmp_path: Path) -> None:
    """In order, once, and of what was asked for; also if the last one was forgotten meanwhile."""
    with open_client(tmp_path) as client:
        with followed(client) as answers:
            tell(client, EVENTS[:2])
        last, *_ = sent(answers[0].text)[-1]
    with open_client(tmp_path) as client:
        tell(client, EVENTS[2:])
        service_of(client).engine.parts.events.get().remove(EventQuery(person_id="id-Ann"))
        with followed(client, "?collection=staff", last) as answers:
            tell(client, [event("face.left", 600)])
        told = [
            (data["kind"], data["person"] and data["person"]["name"])
            for _, _, data in sent(answers[0].text)
        ]
        assert told == [("person.recognised", "Bob"), ("face.left", None)]


def test_who_has_had_nothing_yet_can_come_back_too(client: Client) -> None:
    """The first thing that is sent says where the client is."""
    with followed(client) as answers:
        pass
    assert answers[0].text.startswith(": events follow\nid: ")


def test_nonsense_is_no_position(client: Client) -> None:
    answer = client.get("/v1/events/stream", headers={"Last-Event-ID": "x"})
    assert answer.status_code == 422


def test_a_connection_that_is_killed_costs_no_event(tmp_path: Path) -> None:
    """Over a real socket, which is reset in the middle; events come from another process."""
    with running(tmp_path) as (_, client):
        store = SqliteEventStore(tmp_path / "gallery.db")
        made = [event("face.appeared", number) for number in range(9)]
        heard: list[tuple[str, str]] = []
        last = ""
        for number in range(3):
            with _Listener(str(client.base_url), last) as listener:
                store.add(made[3 * number : 3 * number + 2])
                heard += [listener.next() for _ in range(2 + bool(number))]
                last = heard[-1][0]
            store.add(made[3 * number + 2 : 3 * number + 3])
        with _Listener(str(client.base_url), last) as listener:
            heard.append(listener.next())
        store.close()
        assert [identity for _, identity in heard] == [each.id for each in made]


class _Listener:
    """Reads server-sent events from a socket, and resets the connection at the end."""

    def __init__(self, url: str, last: str) -> None:
        host, port = httpx.URL(url).host, httpx.URL(url).port
        self._socket = socket.create_connection((host, port or 80), 30)
        linger = struct.pack("ii", 1, 0)  # close with a reset
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        head = f"GET /v1/events/stream HTTP/1.0\r\nHost: {host}:{port}\r\n"
        self._socket.sendall(f"{head}Last-Event-ID: {last}\r\n\r\n".encode())
        self._lines = self._socket.makefile("rb")
        self._until(b"id: ")  # where it stands; events follow

    def next(self) -> tuple[str, str]:
        """Return the position and the id of the next event."""
        position, data = self._until(b"id: "), self._until(b"data: ")
        return position.decode(), json.loads(data)["id"]

    def _until(self, start: bytes) -> bytes:
        for line in self._lines:
            if line.startswith(start):
                return line[len(start) :].strip()
        raise AssertionError("the server closed the connection")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()


def test_only_so_many_follow(tmp_path: Path) -> None:
    with open_client(tmp_path, {"streams": {"clients": 0}}) as client:
        answer = client.get("/v1/events/stream")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        with (
            pytest.raises(WebSocketDisconnect) as closed,
            client.websocket_connect("/v1/events/ws"),
        ):
            pass
        assert closed.value.code == 4503


def test_a_key_that_is_revoked_hears_nothing_more(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    key, secret = keys.create("one")
    keys.create("other")
    with open_client(tmp_path) as client:
        hub = service_of(client).streams.hub
        headers = {"X-API-Key": secret}
        with client.websocket_connect("/v1/events/ws", headers=headers) as socket:
            until(lambda: hub.room.inside == 1)
            tell(client, EVENTS[:1])
            assert json.loads(socket.receive_text(timeout=10))["id"] == EVENTS[0].id
            keys.revoke(key.id)
            tell(client, EVENTS[1:])
            with pytest.raises(WebSocketDisconnect):
                socket.receive_text(timeout=10)


def test_a_slow_client_keeps_nobody_waiting() -> None:
    """It reads on where it is, and is told all that there is, also when it is let go."""
    asyncio.run(_slowly())


async def _slowly() -> None:
    store, hub = MemoryEventStore(), EventHub(clients=1)
    feed = EventFeed(store, EventQuery(), store.tail(), lambda: True)
    made = [event("face.appeared", number) for number in range(250)]
    told: list[str] = []
    with hub.follow() as mine:
        batches = feed.batches(mine)
        store.add(made[:1])
        told += [data["id"] for _, data in await anext(batches)]
        for each in made[1:]:
            store.add([each])
            hub.emit(event_json(each))
        hub.close()
        told += [data["id"] async for events in batches for _, data in events]
    assert told == [each.id for each in made]


def test_who_does_not_take_what_is_sent_counts_as_gone() -> None:
    """Nothing more is sent, and who listens hears of it."""
    asyncio.run(_stuck())


async def _stuck() -> None:
    heard: list[str] = []
    sent: list[Any] = []

    async def app(_: Any, receive: Any, send: Any) -> None:
        await send({"number": 1})
        await send({"number": 2})
        heard.append((await receive())["type"])

    async def never() -> Any:
        await asyncio.Event().wait()

    async def stuck(message: Any) -> None:
        sent.append(message)
        await asyncio.Event().wait()

    config = attrs.make_class("Config", ["streams"])(
        attrs.make_class("Streams", ["send_seconds"])(0.05)
    )
    service = attrs.make_class("Service", ["config"])(config)
    state = attrs.make_class("State", ["service"])(service)
    scope: Any = {"type": "http", "litestar_app": attrs.make_class("App", ["state"])(state)}
    await impatient(app)(scope, never, stuck)
    assert heard == ["http.disconnect"]
    assert sent == [{"number": 1}]


def test_a_server_stops_although_somebody_follows(tmp_path: Path) -> None:
    """By all three ways at once, in a process of its own."""
    with running(tmp_path, stop_seconds="60") as (process, client), ExitStack() as stack:
        until(lambda: client.get("/v1/streams").status_code == 200)
        made = client.post("/v1/streams", json={"name": "door", "address": "push:x"}).json()
        url = f"/v1/streams/{made['stream']['id']}"
        answers = [
            stack.enter_context(client.stream("GET", path)).iter_bytes()
            for path in ("/v1/events/stream", f"{url}/preview.mjpeg")
        ]
        first, second = (next(each) for each in answers)
        assert first.startswith(b": events follow\n")
        assert second == b"--frame\r\n"
        address = str(client.base_url.join("/v1/events/ws")).replace("http", "ws", 1)
        socket = stack.enter_context(connect(address, proxy=None))
        client.post(f"{url}/frames", content=picture(), headers=PNG)
        assert json.loads(socket.recv(20))["kind"] == "source.up"
        assert b"event: source.up" in next(answers[0])
        assert b"image/jpeg" in next(answers[1])
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == -signal.SIGTERM
