"""Who is like a face."""

import pytest

from tests.entrypoints.compat.insightface_server.asking import (
    ADA,
    AT,
    BOB,
    EVE,
    FACE,
    NOBODY,
    asked,
    enrol,
    refused,
    upload,
)
from tests.entrypoints.http.served import Client


def test_matches(staff: Client) -> None:
    for name, photo in {"ada": ADA, "bob": BOB, "eve": EVE}.items():
        fields = {"id": name, "external_id": name.upper(), "metadata": '{"a":[1]}'}
        asked(enrol(staff, photo, **fields), 201)
    path = f"{AT}/collections/staff/search"
    body = asked(staff.post(path, data={"limit": 5}, files=upload(BOB)))
    assert [match["person"]["id"] for match in body["matches"]] == ["bob", "eve", "ada"]
    first = body["matches"][0]
    assert first["person"]["external_id"] == "BOB"
    assert first["person"]["metadata"] == {"a": [1]}
    assert first["similarity"] == pytest.approx(1, abs=1e-3)
    assert first["matched_face_id"]
    assert (body["threshold"], set(body["searched_face"])) == (0.6, FACE)
    near = staff.post(path, data={"limit": 5, "threshold": 0.99}, files=upload(BOB))
    assert len(asked(near)["matches"]) == 1
    one = staff.post(path, data={"limit": 1}, files=upload(BOB))
    assert len(asked(one)["matches"]) == 1


def test_no_match_and_no_face(staff: Client) -> None:
    path = f"{AT}/collections/staff/search"
    assert asked(staff.post(path, files=upload(ADA)))["matches"] == []
    refused(staff.post(path, files=upload(NOBODY)), 422, "face_not_found")
    refused(staff.post(f"{AT}/collections/x/search", files=upload(ADA)), 404, "resource_not_found")
