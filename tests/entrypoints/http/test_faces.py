"""Faces of pictures over HTTP."""

import base64
import io

import pytest
from PIL import Image

from tests.entrypoints.http.served import PNG, Client, picture

TWO = picture((20, 30, 80, 10), (200, 100, 120, 200))
NONE = picture()


class TestWaysIn:
    """One picture, however it comes."""

    def test_a_raw_body_with_options_in_the_query(self, client: Client) -> None:
        answer = client.post("/v1/detect", params={"max_faces": 1}, content=TWO, headers=PNG)
        assert answer.status_code == 200
        assert len(answer.json()["faces"]) == 1

    def test_octets(self, client: Client) -> None:
        headers = {"Content-Type": "application/octet-stream"}
        answer = client.post("/v1/detect", content=TWO, headers=headers)
        assert len(answer.json()["faces"]) == 2

    def test_a_form_with_options_as_fields(self, client: Client) -> None:
        answer = client.post("/v1/detect", files={"image": TWO}, data={"max_faces": "1"})
        assert len(answer.json()["faces"]) == 1

    @pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
    def test_json_with_options_as_fields(self, client: Client, prefix: str) -> None:
        text = prefix + base64.b64encode(TWO).decode()
        answer = client.post("/v1/detect", json={"image": text, "max_faces": 1})
        assert len(answer.json()["faces"]) == 1

    def test_a_form_with_the_picture_as_text(self, client: Client) -> None:
        files = {"image": (None, base64.b64encode(TWO))}
        assert len(client.post("/v1/detect", files=files).json()["faces"]) == 2


class TestDetect:
    def test_where_faces_are(self, client: Client) -> None:
        answer = client.post("/v1/detect", files={"image": TWO}).json()
        assert answer["image"] == {"width": 400, "height": 300}
        large, small = answer["faces"]
        assert large["box"] == {
            "pixels": {"x": 200, "y": 100, "width": 120, "height": 120},
            "normalized": {"left": 0.5, "top": 0.333333, "width": 0.3, "height": 0.4},
        }
        assert small["score"] == pytest.approx(200 / 255, abs=1e-4)
        assert len(small["landmarks"]) == 5
        assert 0 <= small["quality"]["score"] <= 1
        assert small["embedding"] is None

    def test_no_face_is_an_answer(self, client: Client) -> None:
        answer = client.post("/v1/detect", files={"image": NONE})
        assert answer.status_code == 200
        assert answer.json()["faces"] == []


class TestAnalyze:
    def test_everything(self, client: Client) -> None:
        face = client.post("/v1/analyze", files={"image": TWO}).json()["faces"][0]
        assert face["attributes"]["blue"]["value"] == pytest.approx(200, abs=2)
        assert len(face["embedding"]["vector"]) == face["embedding"]["space"]["dim"]

    def test_only_what_is_asked_for(self, client: Client) -> None:
        wanted = {"embedding": "false", "quality": "false", "attributes": "blue"}
        face = client.post("/v1/analyze", files={"image": TWO}, data=wanted).json()["faces"][0]
        assert face["embedding"] is None
        assert face["quality"] is None
        assert list(face["attributes"]) == ["blue"]

    def test_an_attribute_that_nobody_gives(self, client: Client) -> None:
        answer = client.post("/v1/analyze", params={"attributes": "hat"}, files={"image": TWO})
        assert answer.status_code == 422
        assert "hat" in answer.json()["error"]["message"]


class TestEmbed:
    def test_vectors(self, client: Client) -> None:
        faces = client.post("/v1/embed", files={"image": TWO}).json()["faces"]
        assert [len(face["embedding"]["vector"]) for face in faces] == [2, 2]

    def test_a_picture_without_a_face(self, client: Client) -> None:
        answer = client.post("/v1/embed", files={"image": NONE})
        assert answer.status_code == 422
        assert answer.json()["error"]["code"] == "face_not_found"


class TestDraw:
    @pytest.mark.parametrize(
        ("fields", "accept", "kind"),
        [
            ({}, "*/*", "jpeg"),
            ({}, "image/png", "png"),
            ({"format": "png"}, "image/jpeg", "png"),
            ({"format": "jpeg"}, "image/png", "jpeg"),
        ],
    )
    def test_the_kind_of_file(
        self, client: Client, fields: dict[str, str], accept: str, kind: str
    ) -> None:
        answer = client.post(
            "/v1/draw", files={"image": TWO}, data=fields, headers={"Accept": accept}
        )
        assert answer.headers["content-type"] == f"image/{kind}"
        with Image.open(io.BytesIO(answer.content)) as drawn:
            assert (drawn.size, drawn.format) == ((400, 300), kind.upper())
