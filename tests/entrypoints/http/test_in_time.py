"""What is told to have failed for lack of time was not kept; what was kept is told."""

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from facecv.core.arrays import Floats, Pixels
from facecv.core.services import transfer
from facecv.core.services.permit import Permit
from facecv.core.services.transfer_lines import Line, read_lines
from tests.core.services import world
from tests.entrypoints.http.served import Client, open_client, picture, service_of
from tests.entrypoints.http.test_streams import until

PERSONS = "/v1/collections/staff/persons"
FACE = picture((100, 100, 112, 40))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with open_client(tmp_path, {"limits": {"seconds": 0.3}}) as client:
        client.post("/v1/collections", json={"name": "staff"})
        yield client


def _enrol(client: Client) -> httpx.Response:
    return client.post(PERSONS, data={"name": "Ada"}, files={"images": ("a.png", FACE)})


def _names(client: Client, collection: str = "staff") -> list[str]:
    persons = client.get(f"/v1/collections/{collection}/persons").json()["persons"]
    return [person["name"] for person in persons]


def _idle(client: Client) -> None:
    until(lambda: not service_of(client).pool.busy)


def test_an_enrolment_that_is_told_to_be_late_is_not_kept(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on in its thread, and undoes what it did."""
    go, embed = threading.Event(), world.WorldEmbedder.embed

    def slow(self: world.WorldEmbedder, crops: Pixels, /) -> tuple[Floats, Floats]:
        assert go.wait(20)
        return embed(self, crops)

    with monkeypatch.context() as patch:
        patch.setattr(world.WorldEmbedder, "embed", slow)
        answer = _enrol(client)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "time_limit")
        go.set()
        _idle(client)
    assert _names(client) == []
    assert _enrol(client).status_code == 201
    assert _names(client) == ["Ada"]


def _slow_to_keep(monkeypatch: pytest.MonkeyPatch, go: threading.Event) -> threading.Event:
    """Let work stand still between its permit and the end of its transaction."""
    begun, take = threading.Event(), Permit.take

    def slow(self: Permit) -> None:
        take(self)
        begun.set()
        assert go.wait(20)

    monkeypatch.setattr(Permit, "take", slow)
    return begun


def test_what_is_being_kept_is_waited_for(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    begun = _slow_to_keep(monkeypatch, go)
    with ThreadPoolExecutor(1) as clients:
        answer = clients.submit(_enrol, client)
        assert begun.wait(20)
        with pytest.raises(TimeoutError):
            answer.result(1.0)  # more than three times the limit
        go.set()
        assert answer.result(20).status_code == 201
    assert _names(client) == ["Ada"]


def test_an_import_is_kept_in_time_or_not_at_all(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although its last line had been read when the time was over."""
    _enrol(client)
    export = client.get("/v1/collections/staff/export").content
    go = threading.Event()

    def slow(lines: Iterable[str]) -> Iterator[Line]:
        yield from read_lines(lines)
        assert go.wait(20)

    with monkeypatch.context() as patch:
        patch.setattr(transfer, "read_lines", slow)
        answer = client.post("/v1/collections/copy/import", content=export)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "time_limit")
        go.set()
        _idle(client)
    assert client.get("/v1/collections/copy").status_code == 404
    assert client.post("/v1/collections/copy/import", content=export).status_code == 200
    assert _names(client, "copy") == ["Ada"]
