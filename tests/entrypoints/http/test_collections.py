"""Collections over HTTP."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.entrypoints.http.served import Client, open_client, picture, service_of

ADA = picture((100, 100, 112, 40))
EVE = picture((20, 20, 112, 240))


def make(client: Client, name: str = "staff", **settings: Any) -> dict[str, Any]:
    """Make a collection; return it as it was answered."""
    answer = client.post("/v1/collections", json={"name": name, **settings})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()["collection"]
    return made


def enrol(client: Client, name: str, photo: bytes, **fields: Any) -> dict[str, Any]:
    """Enrol somebody in ``staff``; return the answer."""
    answer = client.post(
        "/v1/collections/staff/persons",
        data={"name": name, **fields},
        files=[("images", ("photo.png", photo))],
    )
    assert answer.status_code == 201, answer.text
    done: dict[str, Any] = answer.json()
    return done


class TestSettings:
    def test_come_back_as_they_went_in(self, client: Client) -> None:
        given: dict[str, Any] = {
            "threshold": 0.5,
            "margin": 0.1,
            "gate": "strict",
            "store_crops": True,
            "metadata": {"site": "Oslo", "floor": 2, "open": True, "x": None, "n": "5"},
        }
        made = make(client, **given)
        found = client.get("/v1/collections/staff").json()["collection"]
        assert found == made
        assert {name: found[name] for name in given} == given
        assert found["space"]["model"] == "world"
        assert (found["persons"], found["faces"]) == (0, 0)

    def test_change_one_by_one_and_null_takes_away(self, client: Client) -> None:
        make(client, threshold=0.5, gate="off")
        changes = {"threshold": None, "margin": 0.2, "metadata": {"a": 1}}
        answer = client.patch("/v1/collections/staff", json=changes)
        found = answer.json()["collection"]
        assert {name: found[name] for name in changes} == changes
        assert found["gate"] == "off"

    @pytest.mark.parametrize(
        "wrong", [{"threshold": 2}, {"gate": "lax"}, {"colour": 1}, {"metadata": {"a": []}}]
    )
    def test_wrong_ones_are_refused(self, client: Client, wrong: dict[str, Any]) -> None:
        assert client.post("/v1/collections", json={"name": "a", **wrong}).status_code == 422
        make(client)
        assert client.patch("/v1/collections/staff", json=wrong).status_code == 422

    @pytest.mark.parametrize("name", ["", "../a", "a b", "x" * 101])
    def test_a_wrong_name(self, client: Client, name: str) -> None:
        assert client.post("/v1/collections", json={"name": name}).status_code == 422

    def test_a_taken_name(self, client: Client) -> None:
        make(client)
        answer = client.post("/v1/collections", json={"name": "staff"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "already_exists")


def test_a_list_by_pages(client: Client) -> None:
    for name in "cab":
        make(client, name)
    first = client.get("/v1/collections", params={"limit": 2}).json()
    assert [each["name"] for each in first["collections"]] == ["a", "b"]
    rest = client.get("/v1/collections", params={"cursor": first["next_cursor"]}).json()
    assert [each["name"] for each in rest["collections"]] == ["c"]
    assert rest["next_cursor"] is None
    assert client.get("/v1/collections", params={"cursor": "§"}).status_code == 422


class TestDeleting:
    def test_an_empty_one(self, client: Client) -> None:
        make(client)
        assert client.delete("/v1/collections/staff").status_code == 204
        assert client.get("/v1/collections/staff").status_code == 404

    def test_one_with_persons_needs_force(self, client: Client) -> None:
        make(client)
        enrol(client, "Ada", ADA)
        refused = client.delete("/v1/collections/staff")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "not_empty")
        assert client.get("/v1/collections/staff").json()["collection"]["persons"] == 1
        assert client.delete("/v1/collections/staff", params={"force": True}).status_code == 204


class TestTransfer:
    def test_what_is_exported_can_be_imported_under_another_name(self, client: Client) -> None:
        make(client, store_crops=True)
        enrol(client, "Ada", ADA)
        enrol(client, "Eve", EVE)
        exported = client.get("/v1/collections/staff/export")
        assert exported.headers["content-type"].startswith("application/x-ndjson")
        lines = [json.loads(line) for line in exported.text.splitlines()]
        assert lines[-1] == {"type": "end", "persons": 2, "faces": 2}
        done = client.post("/v1/collections/copy/import", content=exported.content)
        assert done.json().items() >= {"persons": 2, "faces": 2}.items()
        again = client.get("/v1/collections/copy/export").text.splitlines()
        assert [json.loads(line) for line in again[2:]] == lines[2:]

    def test_an_export_cut_short_adds_nothing(self, client: Client) -> None:
        make(client)
        enrol(client, "Ada", ADA)
        whole = client.get("/v1/collections/staff/export").content
        cut = client.post("/v1/collections/copy/import", content=whole[: whole.rindex(b"{")])
        assert cut.status_code == 422
        assert client.get("/v1/collections/copy").status_code == 404

    def test_bytes_that_are_no_text(self, client: Client) -> None:
        answer = client.post("/v1/collections/copy/import", content=b"\xff\n")
        assert (answer.status_code, answer.json()["error"]["details"]["line"]) == (422, 1)

    def test_one_that_is_too_long(self, tmp_path: Path) -> None:
        with open_client(tmp_path, {"limits": {"import_bytes": 9}}) as client:
            answer = client.post("/v1/collections/copy/import", content=b"0123456789")
            assert answer.status_code == 413

    def test_the_export_of_nothing(self, client: Client) -> None:
        assert client.get("/v1/collections/nowhere/export").status_code == 404


def test_keys_touch_only_their_collections_and_change_only_as_admin(client: Client) -> None:
    make(client)
    make(client, "guests")
    keys = service_of(client).access.keys
    admin = {"X-API-Key": keys.create("a", "admin", ("staff", "new"))[1]}
    enrolling = {"X-API-Key": keys.create("e", "enrol", ("staff",))[1]}
    listed = client.get("/v1/collections", headers=admin).json()["collections"]
    assert [each["name"] for each in listed] == ["staff"]
    for method, path in (
        ("GET", "/v1/collections/guests"),
        ("PATCH", "/v1/collections/guests"),
        ("DELETE", "/v1/collections/guests"),
        ("GET", "/v1/collections/guests/export"),
        ("POST", "/v1/collections/guests/import"),
        ("GET", "/v1/collections/guests/persons"),
        ("POST", "/v1/collections/guests/search"),
    ):
        assert client.request(method, path, headers=admin, json={}).status_code == 403, path
    assert client.post("/v1/collections", json={"name": "b"}, headers=admin).status_code == 403
    assert client.post("/v1/collections", json={"name": "new"}, headers=admin).status_code == 201
    assert client.get("/v1/collections/staff/export", headers=enrolling).status_code == 403
    assert client.delete("/v1/collections/staff", headers=enrolling).status_code == 403
