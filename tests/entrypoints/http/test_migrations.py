"""Collections move to another model over HTTP."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.core.services import world
from tests.entrypoints.http.served import Client, open_client, service_of
from tests.entrypoints.http.test_models import OTHER, Others


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """Return a client of a server with a team whose crops are stored."""
    with open_client(tmp_path, None, Others()) as client:
        team = service_of(client).engine.gallery("team")
        team.enroll("Ann", [world.picture((100, 100, 112, 40))], store_crops=True)
        yield client


def _migrate(client: Client, **fields: object) -> dict[str, Any]:
    """Ask for a migration and return the job once it is over."""
    answer = client.post("/v1/collections/team/migrate", json=fields)
    assert answer.status_code == 202, answer.text
    deadline = time.monotonic() + 30
    while True:
        job: dict[str, Any] = client.get(answer.headers["Location"]).json()["job"]
        if job["state"] in {"done", "failed"}:
            return job
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_collection_moves_as_a_job(client: Client) -> None:
    job = _migrate(client, model="other")
    assert (job["kind"], job["state"]) == ("migrate", "done")
    assert (job["result"]["embedded"], job["result"]["to"]) == (1, str(OTHER))
    team = service_of(client).engine.gallery("team")
    assert team.info().space == OTHER
    (found,) = team.identify(world.picture((100, 100, 112, 40)))
    assert found.identification.status == "match"


def test_faces_without_crops_are_named(client: Client) -> None:
    team = service_of(client).engine.gallery("bare")
    team.enroll("Ann", [world.picture((100, 100, 112, 40))])
    ((person, face),) = team.repo.face_ids("bare")
    answer = client.post("/v1/collections/bare/migrate", json={"model": "other"})
    deadline = time.monotonic() + 30
    while (job := client.get(answer.headers["Location"]).json()["job"])["state"] != "failed":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert job["error"]["code"] == "crops_missing"
    assert job["error"]["details"]["faces"] == [[person, face]]


def test_what_is_not_there_is_told_at_once(client: Client) -> None:
    answer = client.post("/v1/collections/nowhere/migrate", json={"model": "other"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "collection_not_found")
    answer = client.post("/v1/collections/team/migrate", json={"model": "some.onnx"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_input")
