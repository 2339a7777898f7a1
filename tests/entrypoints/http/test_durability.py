"""Nothing that was acknowledged is lost, and processes see what others write."""

import threading
from pathlib import Path

import httpx

from tests.entrypoints.http.served import picture
from tests.entrypoints.http.test_processes import running

PERSONS = "/v1/collections/staff/persons"


def enrol(client: httpx.Client, name: str, who: int) -> httpx.Response:
    """Enrol somebody."""
    photo = picture((100, 100, 112, who))
    files = {"images": ("photo.png", photo)}
    return client.post(PERSONS, data={"name": name, "id": name}, files=files)


def names(client: httpx.Client) -> set[str]:
    """Return who is enrolled."""
    page = client.get(PERSONS, params={"limit": 500}).json()
    return {person["id"] for person in page["persons"]}


def test_kill_while_enrolling_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    with running(tmp_path) as (process, client):
        assert client.post("/v1/collections", json={"name": "staff"}).status_code == 201
        enough = threading.Event()

        def enrol_many(first: str) -> None:
            try:
                for number in range(10_000):
                    name = f"{first}{number}"
                    if enrol(client, name, number % 250).status_code == 201:
                        acknowledged.add(name)
                    if len(acknowledged) > 20:
                        enough.set()
            except httpx.HTTPError:
                enough.set()

        threads = [threading.Thread(target=enrol_many, args=(first,)) for first in "ab"]
        for thread in threads:
            thread.start()
        assert enough.wait(120)
        process.kill()
        for thread in threads:
            thread.join()
    assert len(acknowledged) > 20
    with running(tmp_path) as (_, client):
        kept = names(client)
        assert acknowledged <= kept
        assert len(kept - acknowledged) <= 2  # written, and killed before the answer
        counts = client.get("/v1/collections/staff").json()["collection"]
        assert counts["persons"] == counts["faces"] == len(kept)


def test_two_servers_on_one_file_see_each_other_s_people(tmp_path: Path) -> None:
    with running(tmp_path) as (_, one), running(tmp_path) as (_, other):
        one.post("/v1/collections", json={"name": "staff"})
        probe = {"image": ("p.png", picture((20, 20, 112, 40)))}
        for step, (writer, reader) in enumerate([(one, other), (other, one)]):
            assert enrol(writer, f"p{step}", 40 + 200 * step).status_code == 201
            assert f"p{step}" in names(reader)
        (found,) = other.post("/v1/collections/staff/search", files=probe).json()["results"]
        assert found["person"]["id"] == "p0"
        assert one.delete(f"{PERSONS}/p0").status_code == 204
        (found,) = other.post("/v1/collections/staff/search", files=probe).json()["results"]
        assert found["status"] == "unknown"
