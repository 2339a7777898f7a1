"""The routes of InsightFace Server, asked as its Python client asks them.

Paths, headers, forms and JSON bodies are those that the client of version 0.2.0 sends; what it
reads out of the answers is what is looked at here.
"""

import json
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import pytest

from facecv.core.errors import ConfigurationError
from facecv.entrypoints.bootstrap import configure
from facecv.entrypoints.compat import insightface_server
from tests.core.services import world
from tests.entrypoints.http.served import Client, open_client, picture, png, service_of

ADA, BOB, EVE = (picture((20, 30, 112, who)) for who in (10, 120, 200))
TWO = picture((20, 30, 80, 10), (200, 100, 120, 120))
NOBODY = picture()
AT = "/insightface/v1"
SERVER = {"compat": {"insightface_server": {"enabled": True}}}
FACE = {"bbox", "landmarks", "detection_score", "quality"}
COLLECTION = {
    "id", "name", "description", "default_threshold", "model_id", "model_version", "model_digest",
    "embedding_dimension", "preprocessing_version", "embedding_contract_id", "search_profile",
    "capacity_rows", "max_faces_per_person", "load_policy", "search_revision", "save_face_crops",
    "metadata", "person_count", "face_count", "created_at", "updated_at", "detection",
    "detection_revision",
}  # fmt: skip
PERSON = {"id", "name", "external_id", "metadata", "face_count", "created_at", "updated_at"}
SAMPLE = {
    "id", "person_id", "bounding_box", "landmarks", "detection_score", "quality", "model_id",
    "model_version", "model_digest", "preprocessing_version", "embedding_source",
    "embedding_contract_id", "has_crop", "created_at",
}  # fmt: skip


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """Return a client of a server with the routes."""
    with open_client(tmp_path, SERVER, insightface_server) as client:
        client.headers["Accept"] = "application/json"
        yield client


@pytest.fixture
def staff(client: Client) -> Client:
    """Return a client of a server with a collection ``staff``, of threshold 0.6."""
    make(client)
    return client


def asked(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    """Return the JSON of an answer of that status, whose request has an id."""
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return the details of an error."""
    error = asked(answer, status)["error"]
    assert (error["code"], set(error)) == (code, {"code", "message", "details"})
    details: dict[str, Any] = error["details"]
    return details


def make(client: Client, **more: Any) -> dict[str, Any]:
    body = {
        "id": "staff", "name": "The staff", "description": "", "threshold": 0.6, "metadata": {},
    }  # fmt: skip
    answer = client.post(f"{AT}/collections", json=body | more)
    collection: dict[str, Any] = asked(answer, 201)["collection"]
    return collection


def enrol(client: Client, *photos: bytes, **fields: Any) -> httpx.Response:
    """Send what `create_person` sends."""
    fields = {"metadata": "{}", "review_mode": "off", "embedding_mode": "server"} | fields
    return client.post(f"{AT}/collections/staff/persons", data=fields, files=uploads(*photos))


def add(client: Client, person: str, *photos: bytes, **fields: Any) -> httpx.Response:
    """Send what `add_faces` sends."""
    fields = {"review_mode": "off", "embedding_mode": "server"} | fields
    path = f"{AT}/collections/staff/persons/{person}/faces"
    return client.post(path, data=fields, files=uploads(*photos))


def uploads(*photos: bytes) -> list[tuple[str, tuple[str, bytes, str]]]:
    return [("images", (f"image-{n}.jpg", each, "image/jpeg")) for n, each in enumerate(photos)]


def upload(content: bytes, name: str = "image") -> dict[str, tuple[str, bytes, str]]:
    return {name: (f"{name}.jpg", content, "image/jpeg")}


def textured(seed: int) -> bytes:
    """Return a picture of Ada whose face passes the standard gate: blue is noise, of one mean."""
    pixels = world.picture((20, 30, 112, 0))
    blue = np.random.default_rng(seed).integers(0, 2, (112, 112), dtype=np.uint8)
    pixels[30:142, 20:132, 0] = blue * 200
    return png(pixels)


class TestFaces:
    """Routes that keep nothing."""

    def test_detect(self, client: Client) -> None:
        body = asked(client.post(f"{AT}/detect", data={}, files=upload(TWO)))
        large, small = body["faces"]
        assert set(large) == set(small) == FACE
        assert large["bbox"] == {
            "pixels": {"x": 200, "y": 100, "width": 120, "height": 120},
            "normalized": {"left": 0.5, "top": 0.33333333, "width": 0.3, "height": 0.4},
        }
        assert len(large["landmarks"]) == 5
        assert {"score", "sharpness", "brightness", "pose"} <= set(large["quality"])
        assert body["processing_ms"] > 0
        UUID(body["request_id"])

    def test_detect_up_to_a_number_and_nobody(self, client: Client) -> None:
        one = client.post(f"{AT}/detect", data={"max_faces": 1}, files=upload(TWO))
        assert len(asked(one)["faces"]) == 1
        assert asked(client.post(f"{AT}/detect", files=upload(NOBODY)))["faces"] == []

    def test_compare(self, client: Client) -> None:
        files = upload(ADA, "source") | upload(TWO, "target")
        body = asked(client.post(f"{AT}/compare", data={"threshold": 0.5}, files=files))
        assert body["similarity"] == pytest.approx(world.cosine(10, 120), abs=0.02)
        assert (body["matched"], body["threshold"]) == (True, 0.5)
        assert set(body["source_face"]) == set(body["target_face"]) == FACE
        files = upload(ADA, "source") | upload(NOBODY, "target")
        refused(client.post(f"{AT}/compare", files=files), 422, "face_not_found")

    def test_embeddings(self, client: Client) -> None:
        body = asked(client.post(f"{AT}/embeddings", data={}, files=upload(TWO)))
        (face,) = body["faces"]
        assert set(face) == {*FACE, "embedding"}
        assert np.linalg.norm(face["embedding"]) == pytest.approx(1, abs=1e-6)
        assert body["model"]["model_id"] == "world"
        refused(client.post(f"{AT}/embeddings", files=upload(NOBODY)), 422, "face_not_found")

    def test_a_collection_says_which_face_counts(self, client: Client) -> None:
        photo = picture((0, 0, 100, 10), (160, 110, 80, 200))
        make(client, detection={"single_face_selection": "center_largest"})
        told = client.post(f"{AT}/embeddings", data={"collection_id": "staff"}, files=upload(photo))
        assert asked(told)["faces"][0]["bbox"]["pixels"]["x"] == 160
        plain = asked(client.post(f"{AT}/embeddings", files=upload(photo)))
        assert plain["faces"][0]["bbox"]["pixels"]["x"] == 0

    @pytest.mark.parametrize(
        ("data", "files", "status", "code"),
        [
            ({}, upload(b"no picture"), 422, "invalid_image"),
            ({"min_score": 0.5}, upload(ADA), 400, "invalid_request"),
            ({"max_faces": 0}, upload(ADA), 400, "invalid_request"),
            ({"collection_id": "absent"}, upload(ADA), 404, "resource_not_found"),
        ],
    )
    def test_what_is_refused(
        self, client: Client, data: Any, files: Any, status: int, code: str
    ) -> None:
        refused(client.post(f"{AT}/detect", data=data, files=files), status, code)


class TestCollections:
    """Made, listed, changed, deleted."""

    def test_a_collection_comes_back_as_it_was_sent(self, client: Client) -> None:
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

    def test_pages(self, client: Client) -> None:
        for name in "abc":
            make(client, id=name)
        first = asked(client.get(f"{AT}/collections", params={"limit": 2}))
        cursor = first["next_cursor"]
        second = asked(client.get(f"{AT}/collections", params={"limit": 2, "cursor": cursor}))
        assert [each["id"] for each in first["collections"]] == ["a", "b"]
        assert [each["id"] for each in second["collections"]] == ["c"]
        assert second["next_cursor"] is None

    def test_changes(self, staff: Client) -> None:
        said = {"name": "Us", "threshold": 0.7, "detection": {"threshold": 0.2}}
        changed = asked(staff.patch(f"{AT}/collections/staff", json=said))["collection"]
        assert (changed["name"], changed["default_threshold"]) == ("Us", 0.7)
        assert (changed["detection"]["threshold"], changed["detection_revision"]) == (0.2, 2)
        again = staff.patch(f"{AT}/collections/staff", json={"metadata": {"a": [1]}})
        kept = asked(again)["collection"]
        assert (kept["name"], kept["metadata"]) == ("Us", {"a": [1]})
        assert kept["detection"]["threshold"] == 0.2

    @pytest.mark.parametrize("body", [{"name": None}, {"id": "x"}, {"search": {"profile": "x"}}])
    def test_changes_that_are_refused(self, staff: Client, body: Any) -> None:
        refused(staff.patch(f"{AT}/collections/staff", json=body), 400, "invalid_request")

    def test_deleting(self, staff: Client) -> None:
        asked(enrol(staff, ADA), 201)
        path, unsure = f"{AT}/collections/staff", {"force": "false"}
        refused(staff.delete(path, params=unsure), 409, "collection_not_empty")
        gone = staff.delete(path, params={"force": "true"})
        assert (gone.status_code, gone.content) == (204, b"")
        refused(staff.get(path), 404, "resource_not_found")

    def test_a_name_is_taken_once(self, staff: Client) -> None:
        body = {"id": "staff", "name": "again"}
        refused(staff.post(f"{AT}/collections", json=body), 409, "collection_exists")

    def test_keys_of_metadata_that_are_ours(self, client: Client) -> None:
        body = {"id": "a", "name": "a", "metadata": {"insightface_server.name": "b"}}
        refused(client.post(f"{AT}/collections", json=body), 400, "invalid_request")

    def test_what_was_made_by_our_own_routes(self, client: Client) -> None:
        client.post("/v1/collections", json={"name": "own", "metadata": {"a": 1}})
        found = asked(client.get(f"{AT}/collections/own"))["collection"]
        assert set(found) == COLLECTION
        assert (found["name"], found["metadata"]) == ("own", {"a": 1})


class TestPersons:
    """Enrolled, listed, changed, deleted."""

    def test_enrolling(self, staff: Client) -> None:
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

    def test_nobody_is_enrolled_without_a_good_photo(self, staff: Client) -> None:
        details = refused(enrol(staff, NOBODY, b"x", id="ada"), 422, "registration_failed")
        reasons = [each["reason"] for each in details["rejected_images"]]
        assert reasons == ["face_not_found", "invalid_image"]
        missing = staff.get(f"{AT}/collections/staff/persons/ada")
        refused(missing, 404, "resource_not_found")

    def test_a_name_may_be_missing_and_may_be_shared(self, staff: Client) -> None:
        first = asked(enrol(staff, ADA), 201)["person"]
        assert first["name"] is None
        assert asked(enrol(staff, ADA, name="Ada"), 201)["person"]["name"] == "Ada"
        assert asked(enrol(staff, BOB, name="Ada"), 201)["person"]["name"] == "Ada"

    def test_ids_are_taken_once(self, staff: Client) -> None:
        asked(enrol(staff, ADA, id="ada", external_id="1"), 201)
        refused(enrol(staff, BOB, id="ada"), 409, "person_exists")
        refused(enrol(staff, BOB, external_id="1"), 409, "external_id_exists")
        asked(enrol(staff, BOB, id="bob"), 201)
        path = f"{AT}/collections/staff/persons/bob"
        refused(staff.patch(path, json={"external_id": "1"}), 409, "external_id_exists")

    def test_changes(self, staff: Client) -> None:
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

    def test_lists_and_what_they_look_for(self, staff: Client) -> None:
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

    def test_deleting(self, staff: Client) -> None:
        asked(enrol(staff, ADA, id="ada"), 201)
        path = f"{AT}/collections/staff/persons/ada"
        assert staff.delete(path).status_code == 204
        refused(staff.delete(path), 404, "resource_not_found")

    def test_review(self, staff: Client) -> None:
        details = refused(enrol(staff, TWO, review_mode="strict"), 422, "registration_failed")
        assert details["rejected_images"][0]["reason"] == "multiple_faces"
        asked(enrol(staff, TWO, id="bob"), 201)
        assert refused(enrol(staff, BOB, review_mode="standard"), 422, "registration_failed")

    def test_strict_review_refuses_somebody_elses_face(self, staff: Client) -> None:
        asked(enrol(staff, textured(1), id="ada", review_mode="standard"), 201)
        details = refused(
            enrol(staff, textured(2), review_mode="strict"), 422, "registration_failed"
        )
        assert details["rejected_images"][0]["reason"] == "identity_similarity_conflict"
        asked(add(staff, "ada", textured(2), review_mode="strict"), 201)

    def test_limits(self, client: Client) -> None:
        make(client, search={"capacity_rows": 2, "max_faces_per_person": 1})
        two = refused(enrol(client, ADA, BOB), 409, "person_face_limit_exceeded")
        assert two == {"max_faces": 1, "requested_faces": 2}
        for photo in (ADA, BOB):
            asked(enrol(client, photo), 201)
        refused(enrol(client, EVE), 409, "collection_capacity_exceeded")


class TestSamples:
    """Faces of a person."""

    def test_added_listed_deleted(self, staff: Client) -> None:
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

    def test_no_good_photo_adds_nothing(self, staff: Client) -> None:
        asked(enrol(staff, ADA, id="ada"), 201)
        assert asked(add(staff, "ada", NOBODY), 201)["faces"] == []
        refused(add(staff, "absent", ADA), 404, "resource_not_found")

    def test_crops(self, client: Client) -> None:
        make(client, save_face_crops=True)
        (face,) = asked(enrol(client, ADA, id="ada"), 201)["faces"]
        assert face["has_crop"]
        path = f"{AT}/collections/staff/persons/ada/faces/{face['id']}/image"
        crop = client.get(path, headers={"Accept": "image/jpeg"})
        assert crop.headers["content-type"] == "image/jpeg"
        assert crop.headers["cache-control"] == "no-store"
        assert crop.content.startswith(b"\xff\xd8")

    def test_embeddings_of_the_client(self, staff: Client) -> None:
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


class TestSearch:
    """Who is like a face."""

    def test_matches(self, staff: Client) -> None:
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

    def test_no_match_and_no_face(self, staff: Client) -> None:
        path = f"{AT}/collections/staff/search"
        assert asked(staff.post(path, files=upload(ADA)))["matches"] == []
        refused(staff.post(path, files=upload(NOBODY)), 422, "face_not_found")
        refused(
            staff.post(f"{AT}/collections/x/search", files=upload(ADA)), 404, "resource_not_found"
        )


class TestServer:
    """What is around the routes."""

    def test_health_system_and_models(self, client: Client) -> None:
        health = asked(client.get(f"{AT}/health"))
        assert (health["status"], health["auth_enabled"]) == ("ready", False)
        assert "execution_provider" in asked(client.get(f"{AT}/system"))
        models = asked(client.get(f"{AT}/models"))["models"]
        assert [model["task"] for model in models] == ["detection", "recognition"]

    def test_keys(self, staff: Client) -> None:
        _, secret = service_of(staff).access.keys.create("k", "read", ("staff",))
        refused(staff.get(f"{AT}/collections"), 401, "unauthorized")
        assert asked(staff.get(f"{AT}/health"))["auth_enabled"] is True
        staff.headers["Authorization"] = f"Bearer {secret}"
        assert asked(staff.get(f"{AT}/collections"))["collections"][0]["id"] == "staff"
        refused(enrol(staff, ADA), 403, "forbidden")
        answer = staff.post(f"{AT}/detect", data={"collection_id": "other"}, files=upload(ADA))
        refused(answer, 403, "forbidden")

    def test_another_prefix_and_none(self, tmp_path: Path) -> None:
        server = {"compat": {"insightface_server": {"enabled": True, "prefix": "/a/b"}}}
        with open_client(tmp_path, server, insightface_server) as client:
            assert client.get("/a/b/v1/health").status_code == 200
            assert client.get("/v1/health/live").status_code == 200
        with pytest.raises(ConfigurationError):
            configure({"server": {"compat": {"insightface_server": {"prefix": ""}}}})

    def test_off_unless_switched_on(self, tmp_path: Path) -> None:
        with open_client(tmp_path, None, insightface_server) as client:
            assert client.get(f"{AT}/health").status_code == 404

    def test_it_is_installed_as_a_plugin(self) -> None:
        points = {point.name: point for point in entry_points(group="facecv")}
        assert points["compat-insightface-server"].load() is insightface_server
