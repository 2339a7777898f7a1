"""Persons: enrolled, listed, changed, deleted."""

import json

from tests.entrypoints.compat.insightface_server.asking import (
    ADA,
    AT,
    BOB,
    EVE,
    NOBODY,
    PERSON,
    SAMPLE,
    TWO,
    add,
    asked,
    enrol,
    make,
    refused,
    textured,
)
from tests.entrypoints.http.served import Client


def test_enrolling(staff: Client) -> None:
    metadata = {"teams": ["a", "b"], "desk": {"floor": 2}}
    answer = enrol(
        staff, ADA, NOBODY, b"no picture",
        id="ada", name="Ada", external_id="HR-1", metadata=json.dumps(metadata),
    )  # fmt: skip
    body = asked(answer, 201)
    assert set(body["person"]) == PERSON
    assert body["person"]["metadata"] == metadata
    assert (body["person"]["external_id"], body["person"]["face_count"]) == ("HR-1", 1)
    assert [set(face) for face in body["faces"]] == [SAMPLE]
    assert body["rejected_images"] == [
        {"index": 1, "filename": "image-1.jpg", "reason": "face_not_found"},
        {"index": 2, "filename": "image-2.jpg", "reason": "invalid_image"},
    ]
    assert asked(staff.get(f"{AT}/collections/staff/persons/ada"))["person"] == body["person"]


def test_nobody_is_enrolled_without_a_good_photo(staff: Client) -> None:
    details = refused(enrol(staff, NOBODY, b"x", id="ada"), 422, "registration_failed")
    reasons = [each["reason"] for each in details["rejected_images"]]
    assert reasons == ["face_not_found", "invalid_image"]
    missing = staff.get(f"{AT}/collections/staff/persons/ada")
    refused(missing, 404, "resource_not_found")


def test_a_name_may_be_missing_and_may_be_shared(staff: Client) -> None:
    first = asked(enrol(staff, ADA), 201)["person"]
    assert first["name"] is None
    assert asked(enrol(staff, ADA, name="Ada"), 201)["person"]["name"] == "Ada"
    assert asked(enrol(staff, BOB, name="Ada"), 201)["person"]["name"] == "Ada"


def test_ids_are_taken_once(staff: Client) -> None:
    asked(enrol(staff, ADA, id="ada", external_id="1"), 201)
    refused(enrol(staff, BOB, id="ada"), 409, "person_exists")
    refused(enrol(staff, BOB, external_id="1"), 409, "external_id_exists")
    asked(enrol(staff, BOB, id="bob"), 201)
    path = f"{AT}/collections/staff/persons/bob"
    refused(staff.patch(path, json={"external_id": "1"}), 409, "external_id_exists")


def test_changes(staff: Client) -> None:
    asked(enrol(staff, ADA, id="ada", name="Ada", external_id="1", metadata='{"a":1}'), 201)
    path = f"{AT}/collections/staff/persons/ada"
    changed = asked(staff.patch(path, json={"name": None}))["person"]
    assert (changed["name"], changed["external_id"]) == (None, "1")
    changed = asked(staff.patch(path, json={"external_id": None, "metadata": {"b": []}}))
    person = changed["person"]
    assert (person["name"], person["external_id"]) == (None, None)
    assert person["metadata"] == {"b": []}
    assert asked(staff.patch(path, json={"name": "Eva"}))["person"]["name"] == "Eva"
    refused(staff.patch(path, json={"metadata": None}), 400, "invalid_request")


def test_lists_and_what_they_look_for(staff: Client) -> None:
    for number, photo in enumerate((ADA, BOB, EVE)):
        asked(enrol(staff, photo, id=f"p{number}", external_id=f"HR-{number}"), 201)
    path = f"{AT}/collections/staff/persons"
    first = asked(staff.get(path, params={"limit": 2}))
    assert [each["face_count"] for each in first["persons"]] == [1, 1]
    rest = asked(staff.get(path, params={"limit": 2, "cursor": first["next_cursor"]}))
    assert [each["id"] for each in rest["persons"]] == ["p2"]
    found = asked(staff.get(path, params={"limit": 50, "search": "hr-1"}))
    assert [each["id"] for each in found["persons"]] == ["p1"]
    paged = asked(staff.get(path, params={"limit": 1, "search": "HR"}))
    assert paged["next_cursor"]


def test_deleting(staff: Client) -> None:
    asked(enrol(staff, ADA, id="ada"), 201)
    path = f"{AT}/collections/staff/persons/ada"
    assert staff.delete(path).status_code == 204
    refused(staff.delete(path), 404, "resource_not_found")


def test_review(staff: Client) -> None:
    details = refused(enrol(staff, TWO, review_mode="strict"), 422, "registration_failed")
    assert details["rejected_images"][0]["reason"] == "multiple_faces"
    asked(enrol(staff, TWO, id="bob"), 201)
    assert refused(enrol(staff, BOB, review_mode="standard"), 422, "registration_failed")


def test_strict_review_refuses_somebody_elses_face(staff: Client) -> None:
    asked(enrol(staff, textured(1), id="ada", review_mode="standard"), 201)
    details = refused(enrol(staff, textured(2), review_mode="strict"), 422, "registration_failed")
    assert details["rejected_images"][0]["reason"] == "identity_similarity_conflict"
    asked(add(staff, "ada", textured(2), review_mode="strict"), 201)


def test_limits(client: Client) -> None:
    make(client, search={"capacity_rows": 2, "max_faces_per_person": 1})
    two = refused(enrol(client, ADA, BOB), 409, "person_face_limit_exceeded")
    assert two == {"max_faces": 1, "requested_faces": 2}
    for photo in (ADA, BOB):
        asked(enrol(client, photo), 201)
    refused(enrol(client, EVE), 409, "collection_capacity_exceeded")
