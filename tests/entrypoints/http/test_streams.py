"""Streams over HTTP: made, watched, changed, kept, looked at."""

import json
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from facecv.entrypoints.keys import KeyFile, Scope
from tests.core.services import world
from tests.entrypoints.cli.runner import save
from tests.entrypoints.http.served import PNG, Client, open_client, picture, service_of

ANN = picture((100, 100, 80, 10))
SERVER = {"streams": {"files": True, "preview_fps": 50}}
SETTINGS: dict[str, dict[str, Any]] = {
    "watch": {"detect_every": 1, "least_quality": 0.0},
    "frame_sources": {"folder": {"rate": 2}},
}
HIDDEN = "hunter2"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with open_client(tmp_path, SERVER, settings=SETTINGS) as client:
        client.post("/v1/collections", json={"name": "staff"})
        form = {"name": "Ann"}
        answer = client.post(
            "/v1/collections/staff/persons", data=form, files={"images": ("a.png", ANN)}
        )
        assert answer.status_code == 201, answer.text
        yield client


def film(folder: Path, frames: int = 8) -> str:
    """Return a folder of pictures in which Ann stands."""
    for number in range(frames):
        save(folder / f"{number:03d}.png", world.picture((100, 100, 80, 10)))
    return str(folder)


def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def make(client: Client, address: str, name: str = "door", **more: Any) -> dict[str, Any]:
    body = {"name": name, "address": address, "collection": "staff", **more}
    answer = client.post("/v1/streams", json=body)
    assert answer.status_code == 201, answer.text
    stream: dict[str, Any] = answer.json()["stream"]
    return stream


def state(client: Client, stream: dict[str, Any]) -> dict[str, Any]:
    answer = client.get(f"/v1/streams/{stream['id']}/state")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["state"]
    return found


def threads() -> int:
    return sum(thread.name.startswith("stream ") for thread in threading.enumerate())


def test_a_folder_is_watched_to_its_end(client: Client, tmp_path: Path) -> None:
    """It is switched off then, or else it would begin anew with the server."""
    made = make(client, film(tmp_path / "film"))
    until(lambda: state(client, made)["state"] == "ended")
    end = state(client, made)
    assert (end["frames"], end["tracks"], end["problem"]) == (8, 1, "")
    until(lambda: not client.get(f"/v1/streams/{made['id']}").json()["stream"]["enabled"])
    events = client.get("/v1/events", params={"order": "oldest"}).json()["events"]
    assert [event["kind"] for event in events] == [
        *("source.up", "face.appeared", "person.recognised", "face.left", "source.down")
    ]
    assert {(event["source"], event["collection"]) for event in events} == {("door", "staff")}


def test_pushed_frames_are_watched(client: Client) -> None:
    made = make(client, "push:gate")
    url = f"/v1/streams/{made['id']}"
    for _ in range(60):
        answer = client.post(f"{url}/frames", content=ANN, headers=PNG)
        assert answer.status_code in {202, 422}, answer.text  # 422: it is not open yet
        if state(client, made)["recognitions"] >= 2:
            break
        time.sleep(0.05)
    found = state(client, made)
    assert found["state"] == "running"
    assert found["faces"] == 1
    assert found["fps"] > 0
    kinds = [each["kind"] for each in client.get("/v1/events?person=").json()["events"]]
    assert "person.recognised" in kinds


def test_frames_of_other_streams_cannot_be_pushed(client: Client, tmp_path: Path) -> None:
    made = make(client, film(tmp_path / "film"))
    answer = client.post(f"/v1/streams/{made['id']}/frames", content=ANN, headers=PNG)
    assert answer.status_code == 422


def test_a_source_that_is_not_there_is_tried_again(client: Client, tmp_path: Path) -> None:
    made = make(client, f"folder:{tmp_path / 'film'}")
    until(lambda: state(client, made)["state"] == "retrying")
    assert "no folder" in state(client, made)["problem"]
    film(tmp_path / "film")
    until(lambda: state(client, made)["state"] == "ended")


def test_a_stream_is_changed_and_deleted(client: Client) -> None:
    """Its thread ends with it."""
    made = make(client, "push:gate")
    url = f"/v1/streams/{made['id']}"
    until(lambda: threads() == 1)
    off = client.patch(url, json={"enabled": False, "name": "gate"}).json()["stream"]
    assert (off["name"], off["enabled"], off["id"]) == ("gate", False, made["id"])
    until(lambda: state(client, made)["state"] == "stopped")
    assert threads() == 0
    client.patch(url, json={"enabled": True})
    until(lambda: state(client, made)["state"] == "connecting" and threads() == 1)
    assert client.delete(url).status_code == 204
    assert threads() == 0
    assert client.get(url).status_code == 404
    assert client.get("/v1/streams").json()["streams"] == []


def test_streams_are_listed_by_pages(client: Client) -> None:
    for name in "cab":
        make(client, "push:x", name, enabled=False)
    first = client.get("/v1/streams?limit=2").json()
    second = client.get("/v1/streams", params={"cursor": first["next_cursor"]}).json()
    names = [each["name"] for each in first["streams"] + second["streams"]]
    assert (names, second["next_cursor"]) == (["a", "b", "c"], None)


def test_streams_start_again_with_the_server(tmp_path: Path) -> None:
    """Their file is for the owner's eyes only, and answers hold no secrets."""
    address = f"rtsp://user:{HIDDEN}@127.0.0.1:9/live?token={HIDDEN}"
    with open_client(tmp_path, SERVER, settings=SETTINGS) as client:
        sinks = [f"mqtt=mqtt://user:{HIDDEN}@127.0.0.1/x"]
        made = make(client, address, enabled=False, sinks=sinks)
        make(client, "push:x", "gate", fps=None)
        text = client.get("/v1/streams").text
        assert HIDDEN not in text
        assert made["address"] == "rtsp://127.0.0.1:9/live"
    assert threads() == 0
    file = tmp_path / "gallery.db.streams.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())[0]["address"] == address
    with open_client(tmp_path, SERVER, settings=SETTINGS) as client:
        until(lambda: client.get("/v1/streams").status_code == 200)
        first, second = client.get("/v1/streams").json()["streams"]
        assert (first["id"], first["state"]["state"]) == (made["id"], "stopped")
        until(lambda: state(client, second)["state"] == "connecting")


def test_a_second_server_waits_for_its_turn(tmp_path: Path) -> None:
    with open_client(tmp_path, SERVER, settings=SETTINGS) as first:
        make(first, "push:x", enabled=False)
        with open_client(tmp_path, SERVER, settings=SETTINGS) as second:
            assert second.get("/v1/streams").status_code == 503
            service_of(first).streams.close(5)
            until(lambda: len(second.get("/v1/streams").json().get("streams", [])) == 1)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "a", "address": "/etc/passwd"}, 422),
        ({"name": "a", "address": "file:/etc/passwd"}, 422),
        ({"name": "a", "address": "http:/etc/passwd"}, 422),
        ({"name": "a", "address": "http:file:///etc/passwd"}, 422),
        ({"name": "a", "address": "webcam:/etc/passwd"}, 422),
        ({"name": "a", "address": "rtmp://u:hunter2@host/x"}, 422),
        ({"name": "a", "address": "push:x", "sinks": ["jsonl=/tmp/x"]}, 422),
        ({"name": "a", "address": "push:x", "sinks": ["pigeon=x"]}, 422),
        ({"name": "a", "address": "push:x", "sinks": ["webhook=ftp://host/x"]}, 422),
        ({"name": "a", "address": "push:x", "sinks": ["mqtt=http://host/x"]}, 422),
        ({"name": "a", "address": "push:x", "fps": 5}, 422),
        ({"name": "", "address": "push:x"}, 422),
        ({"name": "taken", "address": "push:x"}, 409),
        ({"name": "a", "address": "push:x"}, 201),
    ],
)
def test_what_clients_may_not_watch(tmp_path: Path, body: dict[str, Any], status: int) -> None:
    """Files of the server above all, unless it allows them."""
    with open_client(tmp_path) as client:
        make(client, "push:x", "taken", enabled=False)
        answer = client.post("/v1/streams", json=body)
        assert answer.status_code == status, answer.text
        assert HIDDEN not in answer.text


def test_there_are_only_so_many(tmp_path: Path) -> None:
    with open_client(tmp_path, {"streams": {"most": 1}}) as client:
        make(client, "push:x", "one")
        answer = client.post("/v1/streams", json={"name": "two", "address": "push:x"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "stream_exists")


def test_keys_see_the_streams_of_their_collections(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    given: list[tuple[str, Scope, tuple[str, ...] | None]] = [
        ("boss", "admin", None),
        ("staff", "admin", ("staff",)),
        ("guests", "read", ("guests",)),
    ]
    secrets = {name: keys.create(name, scope, only)[1] for name, scope, only in given}
    with open_client(tmp_path) as client:

        def ask(who: str, method: str, url: str, **more: Any) -> Any:
            return client.request(method, url, headers={"X-API-Key": secrets[who]}, **more)

        body = {"name": "door", "address": "push:x", "collection": "staff"}
        assert client.get("/v1/streams").status_code == 401
        assert ask("guests", "POST", "/v1/streams", json=body).status_code == 403
        made = ask("staff", "POST", "/v1/streams", json=body).json()["stream"]
        url = f"/v1/streams/{made['id']}"
        for path in ("", "/state", "/preview.mjpeg"):
            assert ask("guests", "GET", url + path).status_code == 403
        assert ask("guests", "GET", "/v1/streams").json()["streams"] == []
        moved = ask("staff", "PATCH", url, json={"collection": "guests"})
        assert moved.status_code == 403
        assert ask("boss", "PATCH", url, json={"collection": "guests"}).status_code == 200
        assert ask("staff", "DELETE", url).status_code == 403
        assert len(ask("guests", "GET", "/v1/streams").json()["streams"]) == 1


def test_a_preview_shows_boxes(client: Client) -> None:
    """It ends with the stream."""
    made = make(client, "push:gate")
    url = f"/v1/streams/{made['id']}"
    answers: list[Any] = []
    looking = threading.Thread(target=lambda: answers.append(client.get(f"{url}/preview.mjpeg")))
    looking.start()
    until(lambda: service_of(client).streams.previews.inside == 1)
    runner = service_of(client).streams.get(made["id"]).runner
    while runner.count < 5:
        client.post(f"{url}/frames", content=ANN, headers=PNG)
    time.sleep(0.2)
    assert client.delete(url).status_code == 204
    looking.join(10)
    (answer,) = answers
    assert answer.headers["content-type"].startswith("multipart/x-mixed-replace; boundary=frame")
    parts = answer.content.split(b"--frame\r\n")[1:-1]
    assert 1 <= len(parts) <= 5
    head, _, jpeg = parts[-1].partition(b"\r\n\r\n")
    assert f"Content-Length: {len(jpeg) - 2}".encode() in head
    found = client.post("/v1/detect", content=jpeg[:-2], headers={"Content-Type": "image/jpeg"})
    assert found.json()["image"]["width"] == 400
    assert service_of(client).streams.previews.inside == 0
