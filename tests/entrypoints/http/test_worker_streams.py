"""Streams of a server of two workers, which one of them watches."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.entrypoints.http.workers import Both, Pair, push, until


class TestStreams:
    """One worker watches; any answers."""

    @pytest.fixture
    def stream(self, both: Both) -> Iterator[str]:
        """Return the path of a stream of pushed frames."""
        until(lambda: both[0].get("/v1/streams").status_code == 200)
        body = {"name": "door", "address": "push:gate"}
        answer = both[0].post("/v1/streams", json=body)
        assert answer.status_code == 201, answer.text
        yield f"/v1/streams/{answer.json()['stream']['id']}"
        assert both[1].delete(f"/v1/streams/{answer.json()['stream']['id']}").status_code == 204
        assert both[0].get("/v1/streams").json()["streams"] == []

    def test_everything_about_a_stream(self, both: Both, stream: str) -> None:
        for client in both:
            push(client, stream)
            (listed,) = client.get("/v1/streams").json()["streams"]
            assert listed["name"] == "door"
            assert (
                client.post("/v1/streams", json={"name": "door", "address": "push:x"}).status_code
                == 409
            )
        states = [client.get(f"{stream}/state").json()["state"] for client in both]
        assert [state["state"] for state in states] == ["running", "running"]
        assert states[0]["frames"] == states[1]["frames"] >= 2
        until(lambda: both[0].get("/v1/events").json()["events"])
        one, other = (client.get("/v1/events").json()["events"] for client in both)
        assert one == other
        assert [each["kind"] for each in one].count("source.up") == 1
        for client in both:
            missing = client.get("/v1/streams/nobody")
            assert (missing.status_code, missing.json()["error"]["code"]) == (
                404,
                "stream_not_found",
            )

    def test_following_and_looking(self, pair: Pair, both: Both, stream: str) -> None:
        """Whichever worker a client is connected to; a client that goes is noticed."""
        for client in both:
            for enabled in (False, True):
                assert client.patch(stream, json={"enabled": enabled}).status_code == 200
            with ExitStack() as stack:
                events, pictures = (
                    stack.enter_context(pair.answer(client, path))
                    for path in ("/v1/events/stream", f"{stream}/preview.mjpeg")
                )
                assert next(events).startswith(b": events follow")
                assert next(pictures) == b"--frame\r\n"
                push(client, stream)
                assert b"image/jpeg" in next(pictures)
                assert any(b"source.up" in part for part in events)
