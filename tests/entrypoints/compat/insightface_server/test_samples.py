"""Faces of a person."""

import json

import pytest

from tests.entrypoints.compat.insightface_server.asking import (
    ADA,
    AT,
    BOB,
    EVE,
    NOBODY,
    SAMPLE,
    add,
    asked,
    enrol,
    make,
    refused,
    upload,
)
from tests.entrypoints.http.served import Client, picture


def test_added_listed_deleted(staff: Client) -> None:
    asked(enrol(staff, ADA, id="ada"), 201)
    body = asked(add(staff, "ada", BOB, NOBODY, ADA), 201)
    assert [face["person_id"] for face in body["faces"]] == ["ada"]
    reasons = [each["reason"] for each in body["rejected_images"]]
    assert reasons == ["face_not_found", "duplicate_image"]
    path = f"{AT}/collections/staff/persons/ada/faces"
    first = asked(staff.get(path, params={"limit": 1}))
    assert [set(face) for face in first["faces"]] == [SAMPLE]
    gone = first["faces"][0]["id"]
    assert staff.delete(f"{path}/{gone}").status_code == 204
    refused(staff.delete(f"{path}/{gone}"), 404, "resource_not_found")
    assert len(asked(staff.get(path))["faces"]) == 1


def test_no_good_photo_adds_nothing(staff: Client) -> None:
    asked(enrol(staff, ADA, id="ada"), 201)
    assert asked(add(staff, "ada", NOBODY), 201)["faces"] == []
    refused(add(staff, "absent", ADA), 404, "resource_not_found")


def test_crops(client: Client) -> None:
    make(client, save_face_crops=True)
    (face,) = asked(enrol(client, ADA, id="ada"), 201)["faces"]
    assert face["has_crop"]
    path = f"{AT}/collections/staff/persons/ada/faces/{face['id']}/image"
    crop = client.get(path, headers={"Accept": "image/jpeg"})
    assert crop.headers["content-type"] == "image/jpeg"
    assert crop.headers["cache-control"] == "no-store"
    assert crop.content.startswith(b"\xff\xd8")


def test_embeddings_of_the_client(staff: Client) -> None:
    contract = asked(staff.get(f"{AT}/collections/staff"))["collection"]
    trusted = {
        "embedding_mode": "external_trusted",
        "embedding_contract_id": contract["embedding_contract_id"],
    }
    vectors = json.dumps([[1.0, 0.0], [3.0, 0.0]])
    body = asked(enrol(staff, EVE, EVE, id="eve", external_embeddings=vectors, **trusted), 201)
    assert [face["embedding_source"] for face in body["faces"]] == ["external_trusted"]
    assert body["rejected_images"][0]["reason"] == "invalid_external_embedding"
    found = staff.post(f"{AT}/collections/staff/search", files=upload(picture((9, 9, 112, 0))))
    assert asked(found)["matches"][0]["similarity"] == pytest.approx(1, abs=1e-3)
    more = json.dumps([[0.0, 1.0]])
    assert asked(add(staff, "eve", BOB, external_embeddings=more, **trusted), 201)["faces"]
    trusted["embedding_contract_id"] = "another"
    answer = enrol(staff, ADA, external_embeddings=more, **trusted)
    refused(answer, 409, "embedding_contract_mismatch")
