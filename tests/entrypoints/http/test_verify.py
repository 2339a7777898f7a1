"""Comparing two faces over HTTP."""

import base64
from typing import Any

import pytest

from tests.core.services.world import cosine
from tests.entrypoints.http.served import Client, picture

ADA, AGAIN, EVE = picture((20, 30, 80, 10)), picture((90, 60, 90, 20)), picture((10, 10, 80, 230))
NONE = picture()


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _embedding(client: Client, content: bytes) -> dict[str, Any]:
    answer = client.post("/v1/embed", files={"image": content}).json()
    embedding: dict[str, Any] = answer["faces"][0]["embedding"]
    return embedding


class TestPictures:
    def test_one_person(self, client: Client) -> None:
        answer = client.post("/v1/verify", files={"one": ADA, "other": AGAIN}).json()
        assert answer["match"]
        assert answer["similarity"] == pytest.approx(cosine(10, 20), abs=1e-3)
        assert answer["threshold"] == 0.4
        assert [face["box"]["pixels"]["width"] for face in answer["faces"]] == [80, 90]

    def test_two_persons(self, client: Client) -> None:
        body = {"one": _text(ADA), "other": _text(EVE)}
        assert not client.post("/v1/verify", json=body).json()["match"]

    def test_a_threshold(self, client: Client) -> None:
        files = {"one": ADA, "other": EVE}
        assert client.post("/v1/verify", files=files, data={"threshold": "0.1"}).json()["match"]

    def test_a_missing_face(self, client: Client) -> None:
        answer = client.post("/v1/verify", files={"one": ADA, "other": NONE})
        assert answer.status_code == 422
        error = answer.json()["error"]
        assert (error["code"], error["details"]) == ("face_not_found", {"missing": ["other"]})

    def test_a_missing_side(self, client: Client) -> None:
        answer = client.post("/v1/verify", files={"one": ADA})
        assert answer.status_code == 422
        assert "'other'" in answer.json()["error"]["message"]

    def test_a_bare_picture_is_one_side_only(self, client: Client) -> None:
        answer = client.post("/v1/verify", content=ADA, headers={"Content-Type": "image/png"})
        assert answer.status_code == 415


class TestEmbeddings:
    def test_an_embedding_stands_for_a_picture(self, client: Client) -> None:
        body = {"one": _embedding(client, ADA), "other": _text(AGAIN)}
        answer = client.post("/v1/verify", json=body).json()
        assert answer["similarity"] == pytest.approx(cosine(10, 20), abs=1e-3)
        assert answer["faces"][0] is None

    def test_two_embeddings_of_any_length(self, client: Client) -> None:
        known = _embedding(client, ADA)
        longer = known | {"vector": [3 * value for value in known["vector"]]}
        answer = client.post("/v1/verify", json={"one": known, "other": longer}).json()
        assert answer["similarity"] == pytest.approx(1)

    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ({"vector": [0.0, 0.0]}, 422, "invalid_input"),
            ({"vector": [1.0]}, 409, "embedding_space"),
            ({"vector": []}, 422, "invalid_input"),
            ({"vector": ["a"]}, 422, "invalid_input"),
            ({"space": None}, 422, "invalid_input"),
        ],
    )
    def test_what_is_no_embedding(
        self, client: Client, change: dict[str, Any], status: int, code: str
    ) -> None:
        body = {"one": _embedding(client, ADA) | change, "other": _text(AGAIN)}
        answer = client.post("/v1/verify", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)

    def test_an_embedding_of_another_space(self, client: Client) -> None:
        known = _embedding(client, ADA)
        known["space"]["model"] = "other"
        answer = client.post("/v1/verify", json={"one": known, "other": _text(ADA)})
        assert answer.status_code == 409
        assert len(answer.json()["error"]["details"]["spaces"]) == 2
