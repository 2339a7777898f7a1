"""Collections: made, listed, changed, deleted."""

from typing import Any

import pytest

from tests.entrypoints.compat.insightface_server.asking import (
    ADA,
    AT,
    COLLECTION,
    asked,
    enrol,
    make,
    refused,
)
from tests.entrypoints.http.served import Client


def test_a_collection_comes_back_as_it_was_sent(client: Client) -> None:
    metadata = {"site": "Oslo", "floors": [1, 2], "json:x": {"a": None}, "big": 2**70}
    detection = {"input_sizes": [[96, 96], [512, 512]], "threshold": 0.3}
    search = {"profile": "fp32_v1", "capacity_rows": 9, "max_faces_per_person": 2}
    made = make(client, metadata=metadata, detection=detection, search=search)
    assert set(made) == COLLECTION
    assert (made["name"], made["default_threshold"], made["metadata"]) == (
        "The staff", 0.6, metadata,
    )  # fmt: skip
    assert made["detection"] == {
        "input_sizes": [[96, 96], [512, 512]],
        "threshold": 0.3,
        "nms_threshold": 0.4,
        "single_face_selection": "largest",
    }
    assert (made["capacity_rows"], made["max_faces_per_person"]) == (9, 2)
    assert asked(client.get(f"{AT}/collections/staff"))["collection"] == made


def test_pages(client: Client) -> None:
    for name in "abc":
        make(client, id=name)
    first = asked(client.get(f"{AT}/collections", params={"limit": 2}))
    cursor = first["next_cursor"]
    second = asked(client.get(f"{AT}/collections", params={"limit": 2, "cursor": cursor}))
    assert [each["id"] for each in first["collections"]] == ["a", "b"]
    assert [each["id"] for each in second["collections"]] == ["c"]
    assert second["next_cursor"] is None


def test_changes(staff: Client) -> None:
    said = {"name": "Us", "threshold": 0.7, "detection": {"threshold": 0.2}}
    changed = asked(staff.patch(f"{AT}/collections/staff", json=said))["collection"]
    assert (changed["name"], changed["default_threshold"]) == ("Us", 0.7)
    assert (changed["detection"]["threshold"], changed["detection_revision"]) == (0.2, 2)
    again = staff.patch(f"{AT}/collections/staff", json={"metadata": {"a": [1]}})
    kept = asked(again)["collection"]
    assert (kept["name"], kept["metadata"]) == ("Us", {"a": [1]})
    assert kept["detection"]["threshold"] == 0.2


@pytest.mark.parametrize("body", [{"name": None}, {"id": "x"}, {"search": {"profile": "x"}}])
def test_changes_that_are_refused(staff: Client, body: Any) -> None:
    refused(staff.patch(f"{AT}/collections/staff", json=body), 400, "invalid_request")


def test_deleting(staff: Client) -> None:
    asked(enrol(staff, ADA), 201)
    path, unsure = f"{AT}/collections/staff", {"force": "false"}
    refused(staff.delete(path, params=unsure), 409, "collection_not_empty")
    gone = staff.delete(path, params={"force": "true"})
    assert (gone.status_code, gone.content) == (204, b"")
    refused(staff.get(path), 404, "resource_not_found")


def test_a_name_is_taken_once(staff: Client) -> None:
    body = {"id": "staff", "name": "again"}
    refused(staff.post(f"{AT}/collections", json=body), 409, "collection_exists")


def test_keys_of_metadata_that_are_ours(client: Client) -> None:
    body = {"id": "a", "name": "a", "metadata": {"insightface_server.name": "b"}}
    refused(client.post(f"{AT}/collections", json=body), 400, "invalid_request")


def test_what_was_made_by_our_own_routes(client: Client) -> None:
    client.post("/v1/collections", json={"name": "own", "metadata": {"a": 1}})
    found = asked(client.get(f"{AT}/collections/own"))["collection"]
    assert set(found) == COLLECTION
    assert (found["name"], found["metadata"]) == ("own", {"a": 1})
