"""Events over HTTP: listed, followed, and what is made of them."""

import asyncio
import json
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from litestar.exceptions import WebSocketDisconnect
from websockets.sync.client import connect

from facecv.core.event import Event, EventKind, event_json
from facecv.core.geometry import Box
from facecv.entrypoints.http.event_hub import EventHub, Subscription
from facecv.entrypoints.http.impatient import impatient
from facecv.entrypoints.keys import KeyFile
from tests.entrypoints.http.served import PNG, Client, open_client, picture, service_of
from tests.entrypoints.http.test_collections import ADA, EVE, enrol
from tests.entrypoints.http.test_collections import make as make_collection
from tests.entrypoints.http.test_processes import running
from tests.entrypoints.http.test_streams import SERVER, SETTINGS, film, make, state, until

MORNING = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def event(kind: EventKind, minutes: int, who: str = "", collection: str = "staff") -> Event:
    return Event(
        kind,
        "door",
        MORNING + timedelta(minutes=minutes),
        collection=collection,
        track=f"t{minutes}",
        box=Box(1, 2, 3, 4),
        person_id=who and f"id-{who}",
        person=who,
    )


EVENTS = [
    event("face.appeared", 0),
    event("person.recognised", 1, "Ann"),
    event("person.recognised", 2, "Bob"),
    event("person.recognised", 550, "Ann"),
    event("person.recognised", 3, "Zoe", "guests"),
]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with open_client(tmp_path) as client:
        service_of(client).engine.parts.events.get().add(EVENTS)
        yield client


def persons(client: Client, **query: Any) -> list[str]:
    answer = client.get("/v1/events", params={"order": "oldest", **query})
    assert answer.status_code == 200, answer.text
    return [each["person"]["name"] if each["person"] else "" for each in answer.json()["events"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["", "Ann", "Bob", "Ann", "Zoe"]),
        ({"order": "newest"}, ["Zoe", "Ann", "Bob", "Ann", ""]),
        ({"kind": "face.appeared"}, [""]),
        ({"kind": ["face.appeared", "person.recognised"], "collection": "guests"}, ["Zoe"]),
        ({"source": "gate"}, []),
        ({"person": "id-Ann"}, ["Ann", "Ann"]),
        ({"since": "2026-03-01T08:02:00Z"}, ["Bob", "Ann", "Zoe"]),
        ({"until": "2026-03-01T08:02:00"}, ["", "Ann"]),
    ],
)
def test_events_are_listed(client: Client, query: dict[str, Any], expected: list[str]) -> None:
    assert persons(client, **query) == expected


@pytest.mark.parametrize(
    "query", [{"kind": "x"}, {"cursor": "x"}, {"since": "0001-01-01T00:00:00+14:00"}]
)
def test_what_cannot_be_asked(client: Client, query: dict[str, str]) -> None:
    assert client.get("/v1/events", params=query).status_code == 422


def test_events_go_with_the_person_and_the_collection(client: Client) -> None:
    """In whichever way these are deleted."""
    make_collection(client)
    for name, photo in (("Ann", ADA), ("Bob", EVE)):
        enrol(client, name, photo, id=f"id-{name}")
    assert client.delete("/v1/collections/staff/persons/id-Ann").status_code == 204
    assert persons(client) == ["", "Bob", "Zoe"]
    assert client.delete("/v1/collections/staff?force=false").status_code == 409
    named = client.delete("/v1/collections/staff/persons", params={"name": "Bob"})
    assert named.status_code == 200
    assert persons(client) == ["", "Zoe"]
    assert client.delete("/v1/collections/staff").status_code == 204
    assert persons(client) == ["Zoe"]


def test_events_come_by_pages(client: Client) -> None:
    first = client.get("/v1/events?limit=3").json()
    second = client.get("/v1/events", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    ids = [each["id"] for each in first["events"] + second["events"]]
    assert ids == [each.id for each in reversed(EVENTS)]
    assert second["next_cursor"] is None


def test_attendance_is_first_in_and_last_out(client: Client) -> None:
    query = {"collection": "staff", "person": "id-Ann", "zone": "Europe/Oslo"}
    (row,) = client.get("/v1/attendance", params=query).json()["attendance"]
    assert (row["day"], row["person"]["name"], row["visits"]) == ("2026-03-01", "Ann", 2)
    assert row["first"] == "2026-03-01T09:01:00+01:00"
    assert row["last"] == "2026-03-01T18:10:00+01:00"
    assert len(client.get("/v1/attendance").json()["attendance"]) == 3
    for zone in ("Nowhere/City", "../etc/passwd"):
        assert client.get("/v1/attendance", params={"zone": zone}).status_code == 422


def test_a_stranger_becomes_a_person(tmp_path: Path) -> None:
    """Seen twice, listed, enrolled in one step, and recognised from then on."""
    settings = {**SETTINGS, "watch": {**SETTINGS["watch"], "cooldown": 0}}
    with open_client(tmp_path, SERVER, settings=settings) as client:
        made = make(client, film(tmp_path / "film"))
        url = f"/v1/streams/{made['id']}"
        for _ in range(2):
            until(lambda: state(client, made)["state"] == "ended")
            until(lambda: not client.get(url).json()["stream"]["enabled"])
            client.patch(url, json={"enabled": True})
        until(lambda: state(client, made)["state"] == "ended")
        query = {"collection": "staff"}
        (stranger,) = client.get("/v1/strangers", params=query).json()["strangers"]
        assert (stranger["seen"], stranger["sources"]) == (3, ["door"])
        body = {"name": "Zoe", "collection": "staff"}
        answer = client.post(f"/v1/strangers/{stranger['id'][:8]}/enroll", json=body)
        assert answer.status_code == 201, answer.text
        assert (answer.json()["person"]["name"], answer.json()["added"]) == ("Zoe", 1)
        assert client.get("/v1/strangers", params=query).json()["strangers"] == []
        assert client.post("/v1/strangers/x/enroll", json=body).status_code == 422
        client.patch(url, json={"enabled": True})
        until(lambda: "Zoe" in persons(client))


def test_events_are_followed_by_socket(client: Client) -> None:
    """Those that were asked for; it closes when the server stops."""
    hub = service_of(client).streams.hub
    with client.websocket_connect("/v1/events/ws?kind=person.recognised&source=door") as socket:
        until(lambda: hub.room.inside == 1)
        for each in EVENTS:
            hub.emit(event_json(each))
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
    hub = service_of(client).streams.hub
    answers: list[Any] = []
    url = "/v1/events/stream?collection=guests"
    following = threading.Thread(target=lambda: answers.append(client.get(url)))
    following.start()
    until(lambda: hub.room.inside == 1)
    for each in EVENTS:
        hub.emit(event_json(each))
    hub.close()
    following.join(10)
    (answer,) = answers
    assert answer.headers["content-type"].startswith("text/event-stream")
    (told,) = [part for part in answer.text.split("\n\n") if part.startswith("id:")]
    head, kind, data = told.split("\n")
    assert head == f"id: {EVENTS[-1].id}"
    assert kind == "event: person.recognised"
    assert json.loads(data.removeprefix("data: ")) == event_json(EVENTS[-1])


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


def test_keys_follow_the_events_of_their_collections(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    _, one = keys.create("one", "read", ("staff",))
    _, two = keys.create("two", "read", ("staff", "guests"))
    with open_client(tmp_path) as client:
        service_of(client).engine.parts.events.get().add(EVENTS)

        def listed(key: str, **query: str) -> Any:
            return client.get("/v1/events", params=query, headers={"X-API-Key": key})

        assert len(listed(one).json()["events"]) == 4
        assert listed(one, collection="guests").status_code == 403
        assert listed(two).status_code == 422
        assert len(listed(two, collection="guests").json()["events"]) == 1
        for secret, query, code in [
            ("", "", 4401),
            (one, "?collection=guests", 4403),
            (two, "", 4422),
        ]:
            with (
                pytest.raises(WebSocketDisconnect) as closed,
                client.websocket_connect(f"/v1/events/ws{query}", headers={"X-API-Key": secret}),
            ):
                pass
            assert closed.value.code == code


def test_a_key_that_is_revoked_hears_nothing_more(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    key, secret = keys.create("one")
    keys.create("other")
    with open_client(tmp_path) as client:
        hub = service_of(client).streams.hub
        headers = {"X-API-Key": secret}
        with client.websocket_connect("/v1/events/ws", headers=headers) as socket:
            until(lambda: hub.room.inside == 1)
            hub.emit(event_json(EVENTS[0]))
            assert json.loads(socket.receive_text(timeout=10))["id"] == EVENTS[0].id
            keys.revoke(key.id)
            hub.emit(event_json(EVENTS[1]))
            hub.close()
            with pytest.raises(WebSocketDisconnect):
                socket.receive_text(timeout=10)


def test_a_slow_client_is_dropped() -> None:
    """What waits for it never grows, and others get everything."""
    asyncio.run(_slow_and_quick())


async def _slow_and_quick() -> None:
    hub = EventHub(clients=2, backlog=3)
    with hub.follow(lambda _: True) as slow, hub.follow(lambda _: True) as quick:
        told = 0
        for number in range(10):
            await asyncio.to_thread(hub.emit, {"id": number})
            told += len(await quick.take(5) or [])
        assert told == 10
        assert await slow.take(5) is None
        assert slow.lost
        assert not quick.ended


def test_who_ends_still_gets_what_waits() -> None:
    asyncio.run(_ended())


async def _ended() -> None:
    mine = Subscription(lambda _: True, 3)
    mine.offer({"id": 1})
    mine.end()
    assert await mine.take(5) == [{"id": 1}]
    assert await mine.take(5) is None


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
        assert [next(each) for each in answers] == [b": events follow\n\n", b"--frame\r\n"]
        address = str(client.base_url.join("/v1/events/ws")).replace("http", "ws", 1)
        socket = stack.enter_context(connect(address, proxy=None))
        client.post(f"{url}/frames", content=picture(), headers=PNG)
        assert json.loads(socket.recv(20))["kind"] == "source.up"
        assert b"event: source.up" in next(answers[0])
        assert b"image/jpeg" in next(answers[1])
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == -signal.SIGTERM
