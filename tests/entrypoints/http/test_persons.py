"""Persons and their faces over HTTP."""

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.entrypoints.http.served import Client, open_client, picture, service_of
from tests.entrypoints.http.test_collections import ADA, EVE, enrol, make

ADA_AGAIN = picture((20, 20, 112, 45))
NOBODY = picture()
PERSONS = "/v1/collections/staff/persons"


@pytest.fixture
def staff(client: Client) -> Client:
    """Return a client of a server with the collection ``staff``."""
    make(client)
    return client


def post_photos(client: Client, path: str, *photos: bytes, **fields: Any) -> Any:
    files = [("images", (f"{index}.png", photo)) for index, photo in enumerate(photos)]
    return client.post(path, data=fields, files=files)


class TestEnrolling:
    def test_a_person_comes_back(self, staff: Client) -> None:
        done = enrol(staff, "Ada", ADA, id="a1", metadata='{"team": "math", "n": 1, "id": "5"}')
        assert done["created"]
        assert done["rejected_images"] == []
        (image,) = done["images"]
        assert (image["filename"], image["status"]) == ("photo.png", "enrolled")
        person = staff.get(f"{PERSONS}/a1").json()["person"]
        assert person["metadata"] == {"team": "math", "n": 1, "id": "5"}
        assert (person["name"], person["faces"]) == ("Ada", 1)

    def test_in_json(self, staff: Client) -> None:
        photo = base64.b64encode(ADA).decode()
        body = {"name": "Ada", "images": [photo], "metadata": {"n": 1}}
        answer = staff.post(PERSONS, json=body)
        assert (answer.status_code, answer.json()["person"]["metadata"]) == (201, {"n": 1})

    def test_bad_photos_are_reported_one_by_one(self, staff: Client) -> None:
        answer = post_photos(staff, PERSONS, NOBODY, ADA, b"no picture", name="Ada")
        assert answer.status_code == 201
        done = answer.json()
        assert [image["index"] for image in done["images"]] == [1]
        rejected = [(each["index"], each["filename"]) for each in done["rejected_images"]]
        assert rejected == [(0, "0.png"), (2, "2.png")]
        reasons = [each["reason"] for each in done["rejected_images"]]
        assert reasons == ["face_not_found", "image_decode"]

    def test_one_bad_photo_may_refuse_all(self, staff: Client) -> None:
        answer = post_photos(staff, PERSONS, ADA, NOBODY, name="Ada", skip_bad="false")
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "face_not_found")
        assert staff.get(PERSONS).json()["persons"] == []

    def test_no_good_photo_enrols_nobody(self, staff: Client) -> None:
        assert post_photos(staff, PERSONS, NOBODY, name="Ada").status_code == 422
        assert staff.get(PERSONS).json()["persons"] == []

    def test_the_collection_s_gate(self, staff: Client) -> None:
        staff.patch("/v1/collections/staff", json={"gate": "strict"})
        refused = post_photos(staff, PERSONS, ADA, name="Ada")
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "low_quality")
        assert post_photos(staff, PERSONS, ADA, name="Ada", gate="off").status_code == 201

    def test_a_taken_name(self, staff: Client) -> None:
        ada = enrol(staff, "Ada", ADA)["person"]["id"]
        taken = post_photos(staff, PERSONS, EVE, name="Ada")
        assert (taken.status_code, taken.json()["error"]["details"]) == (409, {"person_id": ada})
        merged = enrol(staff, "Ada", ADA_AGAIN, merge="true")
        assert (merged["created"], merged["person"]["id"]) == (False, ada)

    def test_a_taken_id(self, staff: Client) -> None:
        enrol(staff, "Ada", ADA, id="a1")
        assert post_photos(staff, PERSONS, EVE, name="Eve", id="a1").status_code == 409

    def test_known_faces_are_refused_on_request(self, staff: Client) -> None:
        ada = enrol(staff, "Ada", ADA)["person"]["id"]
        refused = post_photos(staff, PERSONS, ADA_AGAIN, name="Eve", known_faces="refuse")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "known_face")
        assert refused.json()["error"]["details"]["person_id"] == ada

    @pytest.mark.parametrize(
        "fields", [{}, {"name": ""}, {"name": "A", "hat": "1"}, {"name": "A", "metadata": "{"}]
    )
    def test_wrong_fields(self, staff: Client, fields: dict[str, str]) -> None:
        assert post_photos(staff, PERSONS, ADA, **fields).status_code == 422

    def test_a_collection_that_is_not_there(self, client: Client) -> None:
        assert post_photos(client, PERSONS, ADA, name="Ada").status_code == 404


class TestPersons:
    def test_a_list_by_pages_and_by_name(self, staff: Client) -> None:
        for who, person in enumerate("cab"):
            enrol(staff, f"P{person}", picture((20, 20, 112, who * 100)), id=person)
        first = staff.get(PERSONS, params={"limit": 2}).json()
        assert [each["id"] for each in first["persons"]] == ["a", "b"]
        rest = staff.get(PERSONS, params={"limit": 2, "cursor": first["next_cursor"]}).json()
        assert ([each["id"] for each in rest["persons"]], rest["next_cursor"]) == (["c"], None)
        named = staff.get(PERSONS, params={"name": "Pb"}).json()["persons"]
        assert [each["id"] for each in named] == ["b"]

    def test_change(self, staff: Client) -> None:
        enrol(staff, "Ada", ADA, id="a1", metadata='{"n": 1}')
        changed = staff.patch(f"{PERSONS}/a1", json={"name": "Ada King"}).json()["person"]
        assert (changed["name"], changed["metadata"], changed["faces"]) == ("Ada King", {"n": 1}, 1)
        assert staff.patch(f"{PERSONS}/a1", json={"hat": 1}).status_code == 422
        assert staff.patch(f"{PERSONS}/b1", json={}).status_code == 404

    def test_delete_by_id_and_by_name(self, staff: Client) -> None:
        enrol(staff, "Ada", ADA, id="a1")
        enrol(staff, "Eve", EVE, id="e1")
        assert staff.delete(f"{PERSONS}/a1").status_code == 204
        assert staff.delete(f"{PERSONS}/a1").status_code == 404
        gone = staff.delete(PERSONS, params={"name": "Eve"}).json()["persons"]
        assert [each["id"] for each in gone] == ["e1"]
        assert staff.delete(PERSONS, params={"name": "Eve"}).status_code == 404
        assert staff.delete(PERSONS).status_code == 400


class TestFaces:
    def test_add_list_and_delete(self, staff: Client) -> None:
        enrol(staff, "Ada", ADA, id="a1")
        added = post_photos(staff, f"{PERSONS}/a1/faces", ADA_AGAIN, ADA)
        assert added.status_code == 201
        assert [image["status"] for image in added.json()["images"]] == ["enrolled", "known"]
        first = staff.get(f"{PERSONS}/a1/faces", params={"limit": 1}).json()
        params = {"cursor": first["next_cursor"]}
        rest = staff.get(f"{PERSONS}/a1/faces", params=params).json()
        faces = [*first["faces"], *rest["faces"]]
        assert {face["source"] for face in faces} == {"photo.png", "0.png"}
        gone = f"{PERSONS}/a1/faces/{faces[0]['id']}"
        assert staff.delete(gone).status_code == 204
        assert staff.delete(gone).status_code == 404
        assert staff.get("/v1/collections/staff").json()["collection"]["faces"] == 1

    def test_a_face_of_somebody_else(self, staff: Client) -> None:
        face = enrol(staff, "Ada", ADA, id="a1")["images"][0]["face_id"]
        enrol(staff, "Eve", EVE, id="e1")
        assert staff.delete(f"{PERSONS}/e1/faces/{face}").status_code == 404

    def test_somebody_who_is_not_there(self, staff: Client) -> None:
        assert post_photos(staff, f"{PERSONS}/a1/faces", ADA).status_code == 404
        assert staff.get(f"{PERSONS}/a1/faces").status_code == 404

    def test_crops_are_kept_only_on_request(self, staff: Client) -> None:
        enrol(staff, "Ada", ADA, id="a1")
        staff.patch("/v1/collections/staff", json={"store_crops": True})
        enrol(staff, "Eve", EVE, id="e1")
        for person, status in (("a1", 404), ("e1", 200)):
            (face,) = staff.get(f"{PERSONS}/{person}/faces").json()["faces"]
            assert face["has_crop"] is (status == 200)
            answer = staff.get(f"{PERSONS}/{person}/faces/{face['id']}/image")
            assert answer.status_code == status
        with Image.open(io.BytesIO(answer.content)) as crop:
            assert (crop.size, crop.format) == ((112, 112), "JPEG")


class TestSearch:
    PATH = "/v1/collections/staff/search"
    BOTH = picture((20, 30, 80, 40), (200, 100, 120, 240))

    @pytest.fixture
    def known(self, staff: Client) -> Client:
        """Return a client of a server that knows Ada and Eve."""
        enrol(staff, "Ada", ADA, id="a1", metadata='{"team": 1}')
        enrol(staff, "Eve", EVE, id="e1", metadata='{"team": 2}')
        return staff

    def search(self, client: Client, photo: bytes, **fields: Any) -> list[dict[str, Any]]:
        answer = client.post(self.PATH, files={"image": photo}, data=fields)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["results"]
        return found

    def test_every_face_or_the_largest(self, known: Client) -> None:
        results = self.search(known, self.BOTH)
        assert [each["person"]["name"] for each in results] == ["Eve", "Ada"]
        assert results[0]["face"]["box"]["pixels"]["width"] == 120
        assert results[0]["matches"][0]["similarity"] == pytest.approx(1, abs=1e-4)
        (largest,) = self.search(known, self.BOTH, faces="largest")
        assert largest["person"]["id"] == "e1"

    def test_top_k_threshold_and_filter(self, known: Client) -> None:
        (one,) = self.search(known, ADA, threshold=-1)
        assert [match["person"]["id"] for match in one["matches"]] == ["a1", "e1"]
        (one,) = self.search(known, ADA, threshold=-1, top_k=1)
        assert len(one["matches"]) == 1
        (one,) = self.search(known, ADA_AGAIN, threshold=0.99999)
        assert (one["status"], one["person"], one["matches"]) == ("unknown", None, [])
        (one,) = self.search(known, ADA, where='{"team": 2}', threshold=-1)
        assert [match["person"]["id"] for match in one["matches"]] == ["e1"]

    def test_no_face(self, known: Client) -> None:
        assert self.search(known, NOBODY) == []

    def test_an_embedding(self, known: Client) -> None:
        face = known.post("/v1/embed", files={"image": ADA}).json()["faces"][0]
        answer = known.post(self.PATH, json={"embedding": face["embedding"]}).json()
        (one,) = answer["results"]
        assert (one["person"]["id"], one["face"], answer["image"]) == ("a1", None, None)

    def test_an_embedding_of_another_space(self, known: Client) -> None:
        embedding = known.post("/v1/embed", files={"image": ADA}).json()["faces"][0]["embedding"]
        embedding["space"]["model"] = "other"
        answer = known.post(self.PATH, json={"embedding": embedding})
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "embedding_space")

    def test_neither_or_both(self, known: Client) -> None:
        assert known.post(self.PATH, json={}).status_code == 422
        embedding = known.post("/v1/embed", files={"image": ADA}).json()["faces"][0]["embedding"]
        both = {"image": base64.b64encode(ADA).decode(), "embedding": embedding}
        assert known.post(self.PATH, json=both).status_code == 422


def test_keys_that_only_read_change_nobody(tmp_path: Path) -> None:
    with open_client(tmp_path) as client:
        make(client)
        enrol(client, "Ada", ADA, id="a1")
        headers = {"X-API-Key": service_of(client).access.keys.create("r", "read")[1]}
        assert client.get(PERSONS, headers=headers).status_code == 200
        for method, path in (
            ("POST", PERSONS),
            ("PATCH", f"{PERSONS}/a1"),
            ("DELETE", f"{PERSONS}/a1"),
            ("DELETE", f"{PERSONS}?name=Ada"),
            ("POST", f"{PERSONS}/a1/faces"),
            ("DELETE", f"{PERSONS}/a1/faces/f"),
        ):
            assert client.request(method, path, headers=headers, json={}).status_code == 403, path
