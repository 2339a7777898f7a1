"""Events over HTTP: listed, and what is made of them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar.exceptions import WebSocketDisconnect

from facecv.core.event import Event, EventKind
from facecv.core.geometry import Box
from facecv.entrypoints.keys import KeyFile
from tests.entrypoints.http.served import Client, open_client, service_of
from tests.entrypoints.http.test_collections import ADA, EVE, enrol
from tests.entrypoints.http.test_collections import make as make_collection
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
        nobody = client.post("/v1/strangers/x/enroll", json=body)
        assert (nobody.status_code, nobody.json()["error"]["code"]) == (404, "stranger_not_found")
        client.patch(url, json={"enabled": True})
        until(lambda: "Zoe" in persons(client))


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
