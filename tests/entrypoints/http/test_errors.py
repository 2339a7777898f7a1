"""Errors over HTTP: one shape, the right status, never a traceback."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from litestar import get

from facecv.core import errors
from facecv.entrypoints.api import Engine
from facecv.entrypoints.http.errors import STATUSES, error_body, status_of
from facecv.plugins import hookimpl
from tests.entrypoints.http.served import PNG, Client, open_client, picture, service_of

FACE = picture((20, 30, 80, 10))
TEXT = base64.b64encode(FACE).decode()


def _classes(kind: type[errors.FaceCVError]) -> list[type[errors.FaceCVError]]:
    return [kind, *(each for child in kind.__subclasses__() for each in _classes(child))]


class Raising:
    """A plugin whose route raises what it is told to."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    @hookimpl
    def facecv_http(self, routes: list[Any], engine: Engine) -> None:
        @get("/raise", sync_to_thread=False)
        def fail() -> None:
            raise self.error

        routes.append(fail)


class TestShape:
    @pytest.mark.parametrize(
        ("method", "path", "status", "code"),
        [
            ("GET", "/nowhere", 404, "not_found"),
            ("GET", "/v1/nowhere", 404, "not_found"),
            ("GET", "/v1/detect", 405, "method_not_allowed"),
            ("POST", "/v1/detect", 415, "unsupported_media_type"),
        ],
    )
    def test_what_the_framework_refuses(
        self, client: Client, method: str, path: str, status: int, code: str
    ) -> None:
        answer = client.request(method, path)
        body = answer.json()
        assert answer.status_code == status
        assert set(body) == {"error", "request_id"}
        assert set(body["error"]) == {"code", "message", "details"}
        assert body["error"]["code"] == code
        assert body["request_id"] == answer.headers["X-Request-Id"]

    def test_they_say_more_than_their_status(self, tmp_path: Path) -> None:
        with open_client(tmp_path, {"limits": {"body_bytes": 1000}}) as client:
            nowhere, wrong = client.get("/v1/nowhere?a=b"), client.delete("/v1/detect")
            large = client.post("/v1/detect", content=b"x" * 1001, headers=PNG)
        assert nowhere.json()["error"]["message"] == "there is nothing at '/v1/nowhere'"
        assert "POST" in wrong.json()["error"]["details"]["allow"]
        assert (large.status_code, large.json()["error"]["details"]) == (413, {"limit": 1000})

    def test_every_class_of_ours_has_a_status(self) -> None:
        """What is missing from the table is a fault of the server, and that is on purpose."""
        kinds = [
            kind for kind in _classes(errors.FaceCVError) if kind.__module__ == "facecv.core.errors"
        ]
        faults = {kind.__name__ for kind in kinds if status_of(kind("words")) == 500}
        assert faults == {"FaceCVError", "ConfigurationError"}

    @pytest.mark.parametrize(
        ("kind", "status"), STATUSES, ids=lambda each: getattr(each, "code", each)
    )
    def test_a_status_for_each_family(
        self, tmp_path: Path, kind: type[errors.FaceCVError], status: int
    ) -> None:
        error = kind("words", hint="do that", details={"fact": 1})
        with open_client(tmp_path, None, Raising(error)) as client:
            answer = client.get("/raise")
        assert answer.status_code == status
        assert answer.json()["error"] == {
            "code": kind.code.replace("-", "_"),
            "message": "words",
            "details": {"hint": "do that", "fact": 1},
        }
        retries = status == 503 and issubclass(kind, errors.ServiceError)
        assert ("Retry-After" in answer.headers) == retries

    def test_an_item_of_a_batch(self) -> None:
        body = error_body(errors.FaceNotFoundError("no face"))
        assert (body.code, body.message, body.details) == ("face_not_found", "no face", {})


class TestBugs:
    @pytest.mark.parametrize(
        "error",
        [RuntimeError("secret of the house"), errors.ConfigurationError("secret of the house")],
    )
    def test_a_bug_tells_nothing_and_is_remembered(self, tmp_path: Path, error: Exception) -> None:
        with open_client(tmp_path, None, Raising(error), raise_bugs=False) as client:
            answer = client.get("/raise", headers={"X-Request-Id": "mine"})
            assert answer.status_code == 500
            assert answer.json()["error"]["code"] == "internal"
            assert "secret" not in answer.text
            assert "Traceback" not in answer.text
            recent = client.get("/v1/system").json()["recent_errors"]
        assert [(each["code"], each["request_id"], each["path"]) for each in recent] == [
            ("internal", "mine", "/raise")
        ]

    def test_only_the_last_ones_are_kept(self, client: Client) -> None:
        journal = service_of(client).journal
        for number in range(80):
            journal.note("internal", "words", str(number), "/")
        assert [each.request_id for each in journal.newest()] == [str(n) for n in range(79, 29, -1)]


class TestBodies:
    @pytest.mark.parametrize(
        ("content", "headers", "status", "code"),
        [
            (b"{", {"Content-Type": "application/json"}, 400, "invalid_request"),
            (b'"\xff"', {"Content-Type": "application/json"}, 400, "invalid_request"),
            (b"[]", {"Content-Type": "application/json"}, 422, "invalid_input"),
            (b"{}", {"Content-Type": "application/json"}, 422, "invalid_input"),
            (b"", {"Content-Type": "application/json"}, 400, "invalid_request"),
            (b"hello", {"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
            (b"", PNG, 422, "image_decode"),
            (b"hello", PNG, 422, "image_decode"),
            (b"hello", {"Content-Type": "application/octet-stream"}, 422, "image_decode"),
            (FACE[:200], PNG, 422, "image_decode"),
            (b"hello", {"Content-Type": "multipart/form-data"}, 400, "invalid_request"),
            (b"hello", {"Content-Type": "multipart/form-data; boundary=x"}, 400, "invalid_request"),
        ],
    )
    def test_broken_ones(
        self, client: Client, content: bytes, headers: dict[str, str], status: int, code: str
    ) -> None:
        answer = client.post("/v1/detect", content=content, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"image": "no base64!"}, "image"),
            ({"image": "https://example.org/a.jpg"}, "URL"),
            ({"image": 5}, "no picture"),
            ({"image": [TEXT, 5]}, "no picture"),
            ({"image": None}, "no picture"),
            ({"image": [TEXT, TEXT]}, "image"),
            ({"image": TEXT, "score_threshold": 2}, "score_threshold"),
            ({"image": TEXT, "score_threshold": "0.5"}, "score_threshold"),
            ({"image": TEXT, "input_size": 10**6}, "input_size"),
            ({"image": TEXT, "order": "best"}, "order"),
            ({"image": TEXT, "scor_threshold": 0.5}, "scor_threshold"),
            ({"image": TEXT, "tile": 3}, "tiles"),
        ],
    )
    def test_wrong_fields_are_named(
        self, client: Client, fields: dict[str, Any], named: str
    ) -> None:
        answer = client.post("/v1/detect", json=fields)
        assert answer.status_code == 422
        assert named in answer.json()["error"]["message"]

    @pytest.mark.parametrize("query", ["score_threshold=2", "score_threshold=high", "nothing=1"])
    def test_wrong_queries(self, client: Client, query: str) -> None:
        answer = client.post(f"/v1/detect?{query}", content=FACE, headers=PNG)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_input")

    def test_a_file_in_a_field_for_something_else(self, client: Client) -> None:
        answer = client.post("/v1/detect", files={"image": FACE, "picture": FACE})
        assert answer.status_code == 422
        assert "'picture'" in answer.json()["error"]["message"]

    def test_no_text_of_a_client_is_a_path(self, client: Client, tmp_path: Path) -> None:
        """What the decoder would take as a file of this machine is refused before."""
        file = tmp_path / "secret.png"
        file.write_bytes(FACE)
        for text in (str(file), file.as_uri(), "keys.json"):
            answer = client.post("/v1/detect", json={"image": text})
            assert answer.status_code == 422, text
            assert str(tmp_path) not in json.dumps(answer.json()["error"]["details"])
