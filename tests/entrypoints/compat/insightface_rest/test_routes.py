"""The routes of InsightFace-REST, as its clients ask for them."""

import base64
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from facecv.entrypoints.compat import insightface_rest
from tests.core.services import world
from tests.entrypoints.http.served import Client, open_client, picture, png, service_of

TWO = picture((20, 30, 80, 10), (200, 100, 120, 200))
FIELDS = {
    "num_det", "prob", "bbox", "size", "landmarks", "scale", "gender", "age", "mask",
    "mask_probs", "norm", "vec", "facedata",
}  # fmt: skip


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """Return a client of a server with the routes."""
    server = {"compat": {"insightface_rest": {"enabled": True}}}
    with open_client(tmp_path, server, insightface_rest) as client:
        yield client


def extract(client: Client, *pictures: bytes, **options: Any) -> dict[str, Any]:
    images = {"data": [base64.b64encode(each).decode() for each in pictures]}
    answer = client.post("/extract", json={"images": images, "threshold": 0.3, **options})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_the_fields_of_an_answer(client: Client) -> None:
    answer = extract(client, TWO, b"no picture")
    assert answer["took"]["total_ms"] > 0
    good, bad = answer["data"]
    assert (good["status"], bad["status"], bad["faces"]) == ("ok", "failed", [])
    assert "Traceback" not in bad["traceback"]
    large, small = good["faces"]
    assert set(large) == set(small) == FIELDS
    assert (large["bbox"], large["size"]) == ([200, 100, 320, 220], 120)
    assert np.linalg.norm(large["vec"]) == pytest.approx(1, abs=1e-5)
    assert large["norm"] == 7
    assert large["landmarks"] is None
    assert large["facedata"] is None


def test_reading_and_looking_are_timed_apart(client: Client) -> None:
    answer = extract(client, TWO, TWO, b"no picture", verbose_timings=True)
    took = answer["took"]
    assert took["read_imgs_ms"] > 0
    assert took["embed_all_ms"] > 0
    both = sum(each["took_ms"] for each in answer["data"])
    assert took["read_imgs_ms"] + took["embed_all_ms"] == pytest.approx(both, abs=0.01)


def test_what_is_asked_for(client: Client) -> None:
    options = {"return_landmarks": True, "return_face_data": True, "extract_embedding": False}
    (face,) = extract(client, TWO, limit_faces=1, **options)["data"][0]["faces"]
    assert len(face["landmarks"]) == 5
    assert base64.b64decode(face["facedata"]).startswith(b"\xff\xd8")
    assert face["vec"] is None
    (face,) = extract(client, TWO, min_face_size=100)["data"][0]["faces"]
    assert face["size"] == 120


def test_message_pack(client: Client) -> None:
    body = msgspec.msgpack.encode({"images": {"data": [TWO]}, "threshold": 0.3, "msgpack": True})
    headers = {"content-type": "application/msgpack", "accept": "application/x-msgpack"}
    answer = client.post("/extract", content=body, headers=headers)
    assert answer.headers["content-type"] == "application/x-msgpack"
    assert len(msgspec.msgpack.decode(answer.content)["data"][0]["faces"]) == 2


def test_crops(client: Client) -> None:
    crop = png(world.picture((0, 0, 112, 40))[:112, :112])
    answer = extract(client, crop, TWO, embed_only=True)
    assert "took" not in answer
    good, bad = (each["faces"][0] for each in answer["data"])
    assert (good["bbox"], good["prob"], good["status"]) == ([0, 0, 112, 112], 1.0, "ok")
    assert bad["status"] == "failed"


def test_urls_are_off_and_never_files(client: Client, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(TWO)
    urls = ["http://127.0.0.1/a.png", str(tmp_path / "a.png")]
    answer = client.post("/extract", json={"images": {"urls": urls}}).json()
    assert [each["status"] for each in answer["data"]] == ["failed", "failed"]


def test_drawing(client: Client) -> None:
    images = {"data": [base64.b64encode(TWO).decode()]}
    one = client.post("/draw_detections", json={"images": images, "threshold": 0.3})
    other = client.post(
        "/multipart/draw_detections", files={"file": TWO}, data={"threshold": "0.3"}
    )
    assert one.content == other.content
    assert one.headers["content-type"] == "image/png"


def test_info_health_and_the_start(client: Client) -> None:
    models = client.get("/info").json()["models"]
    assert (models["det_name"], models["rec_name"]) == ("world", "world")
    assert models["backend_name"] == models["inference_backend"]
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/", follow_redirects=False).headers["location"] == "/docs"


def test_keys_are_asked_for(client: Client) -> None:
    service_of(client).access.keys.create("k", "read")
    assert client.post("/extract", json={"images": {}}).status_code == 401


def test_off_unless_switched_on(tmp_path: Path) -> None:
    with open_client(tmp_path, None, insightface_rest) as client:
        assert client.post("/extract", json={"images": {}}).status_code == 404


def test_it_is_installed_as_a_plugin() -> None:
    points = {point.name: point for point in entry_points(group="facecv")}
    assert points["compat-insightface-rest"].load() is insightface_rest
