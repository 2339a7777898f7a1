"""Many pictures in one request."""

import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.entrypoints.http.served import Client, open_client, picture, service_of

ONE, TWO = picture((100, 100, 112, 40)), picture((20, 20, 60, 10), (150, 50, 120, 90))
NONE, OTHER = picture(), picture((100, 100, 112, 230))
Part = tuple[str, tuple[str, bytes, str]]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """Return a client of a server with an empty collection and small limits."""
    limits = {"images": 6, "batch_images": 10, "batch_bytes": 1_000_000}
    with open_client(tmp_path, {"limits": limits}) as client:
        service_of(client).engine.gallery("team").enroller().ensure_collection("team")
        yield client


def parts(**files: bytes) -> list[Part]:
    return [("images", (f"{name}.png", data, "image/png")) for name, data in files.items()]


def zipped(files: dict[str, bytes]) -> list[Part]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return [("images", ("many.zip", buffer.getvalue(), "application/zip"))]


def items(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    assert [item["index"] for item in found] == list(range(len(found)))
    return found


def job_items(client: Client, answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 202, answer.text
    deadline = time.monotonic() + 30
    while (job := client.get(answer.headers["Location"]).json()["job"])["state"] != "done":
        assert time.monotonic() < deadline, job
        time.sleep(0.01)
    assert job["progress"]["done"] == job["progress"]["total"]
    found: list[dict[str, Any]] = job["result"]["items"]
    return found


class TestEachItem:
    """A picture has a result or an error of its own; order is kept."""

    @pytest.mark.parametrize("kind", ["detect", "analyze"])
    def test_look(self, client: Client, kind: str) -> None:
        files = parts(two=TWO, broken=b"no picture", none=NONE, one=ONE)
        found = items(client.post(f"/v1/batch/{kind}", files=files))
        assert [item["name"] for item in found] == [
            f"{name}.png" for name in ("two", "broken", "none", "one")
        ]
        assert [item["result"] and len(item["result"]["faces"]) for item in found] == [
            2,
            None,
            0,
            1,
        ]
        assert found[1]["error"]["code"] == "image_decode"
        has = [face["embedding"] is not None for face in found[0]["result"]["faces"]]
        assert all(has) is (kind == "analyze")

    def test_verify_goes_two_by_two(self, client: Client) -> None:
        files = parts(a=ONE, b=ONE, c=ONE, d=OTHER, e=ONE, f=NONE)
        same, different, missing = items(client.post("/v1/batch/verify", files=files))
        assert (same["result"]["match"], same["name"]) == (True, "a.png, b.png")
        assert not different["result"]["match"]
        assert missing["error"]["code"] == "face_not_found"
        answer = client.post("/v1/batch/verify", files=files[:3])
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_input")

    def test_enrol_then_search(self, client: Client) -> None:
        enrol = client.post(
            "/v1/batch/enroll",
            files=parts(ann=ONE, nobody=NONE, bob=OTHER),
            data={"collection": "team"},
        )
        ann, nobody, bob = items(enrol)
        assert (ann["result"]["person"]["name"], ann["result"]["status"]) == ("ann", "enrolled")
        assert nobody["error"]["code"] == "face_not_found"
        assert bob["result"]["created"]
        found = client.post(
            "/v1/batch/search", files=parts(x=OTHER, y=ONE, z=NONE), data={"collection": "team"}
        )
        who = [
            [each["person"]["name"] for each in item["result"]["results"]] for item in items(found)
        ]
        assert who == [["bob"], ["ann"], []]

    def test_names_may_be_given(self, client: Client) -> None:
        fields = {"collection": "team", "names": ["Ann B.", "Carl"]}
        answer = client.post("/v1/batch/enroll", files=parts(a=ONE, b=OTHER), data=fields)
        names = [item["result"]["person"]["name"] for item in items(answer)]
        assert names == ["Ann B.", "Carl"]
        fields["names"] = ["one", "two", "three"]
        answer = client.post("/v1/batch/enroll", files=parts(a=ONE, b=OTHER), data=fields)
        assert answer.status_code == 422

    def test_the_collection_must_be_there(self, client: Client) -> None:
        for kind in ("enroll", "search"):
            files, data = parts(a=ONE), {"collection": "nowhere"}
            assert client.post(f"/v1/batch/{kind}", files=files, data=data).status_code == 404


class TestForms:
    """At once, line by line, or as a job."""

    def test_lines(self, client: Client) -> None:
        files = parts(two=TWO, broken=b"no picture", one=ONE)
        accept = {"Accept": "application/x-ndjson"}
        answer = client.post("/v1/batch/detect", files=files, headers=accept)
        assert answer.headers["content-type"].startswith("application/x-ndjson")
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert [line["index"] for line in lines] == [0, 1, 2]
        assert lines == items(client.post("/v1/batch/detect", files=files))

    def test_a_job_gives_the_same(self, client: Client) -> None:
        files = parts(two=TWO, broken=b"no picture", one=ONE)
        answer = client.post("/v1/batch/detect?job=true", files=files)
        at_once = items(client.post("/v1/batch/detect", files=files))
        assert job_items(client, answer) == at_once

    def test_many_become_a_job_by_themselves(self, client: Client) -> None:
        files = zipped({f"{number}.png": ONE for number in range(8)})
        assert len(job_items(client, client.post("/v1/batch/detect", files=files))) == 8

    def test_a_batch_without_pictures_is_refused(self, client: Client) -> None:
        answer = client.post("/v1/batch/detect", json={"images": []})
        assert answer.status_code == 422


class TestZip:
    """A zip file may hold the pictures; what it claims is not believed."""

    def test_folders_name_persons(self, client: Client) -> None:
        files = zipped({"ann/1.png": ONE, "bob/1.png": OTHER})
        found = items(client.post("/v1/batch/enroll", files=files, data={"collection": "team"}))
        assert [item["result"]["person"]["name"] for item in found] == ["ann", "bob"]

    def test_one_that_is_too_large_unpacked_fails_alone(self, tmp_path: Path) -> None:
        with open_client(tmp_path, {"limits": {"image_bytes": 100_000}}) as client:
            files = zipped({"bomb.png": bytes(10_000_000), "one.png": ONE})
            bomb, one = items(client.post("/v1/batch/detect", files=files))
        assert bomb["error"]["code"] == "image_too_large"
        assert len(one["result"]["faces"]) == 1

    @pytest.mark.parametrize("name", ["../a.png", "/a.png", "a/../../b.png", "c:/a.png"])
    def test_a_place_outside_is_refused(self, client: Client, name: str) -> None:
        answer = client.post("/v1/batch/detect", files=zipped({name: ONE}))
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_input")

    def test_too_many_and_too_much(self, client: Client) -> None:
        many = zipped({f"{number}.png": ONE for number in range(11)})
        much = zipped({f"{number}.png": bytes(300_000) for number in range(5)})
        for files in (many, much):
            answer = client.post("/v1/batch/detect", files=files)
            assert (answer.status_code, answer.json()["error"]["code"]) == (413, "image_too_large")

    def test_a_damaged_one_is_refused(self, client: Client) -> None:
        ((field, (name, data, kind)),) = zipped({"one.png": ONE})
        files = [(field, (name, data[: len(data) // 2], kind))]
        answer = client.post("/v1/batch/detect", files=files)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_input")
