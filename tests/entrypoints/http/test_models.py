"""Models and jobs over HTTP."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from facecv.core.embedding import EmbeddingSpace
from facecv.core.errors import ModelError
from facecv.core.ports.embedder import Embedder
from facecv.plugins import Provider, hookimpl
from tests.core.services.world import SPACE, WorldEmbedder
from tests.entrypoints.http.served import PNG, Client, open_client, picture, service_of

OTHER = attrs.evolve(SPACE, model="other", digest="1" * 64)
FACE = picture((100, 100, 112, 40))


class Others:
    """A plugin with another embedder, and one that cannot be loaded."""

    @hookimpl
    def facecv_register_embedders(self) -> Iterable[Provider[Embedder]]:
        return [
            Provider("other", lambda _: WorldEmbedder(OTHER)),
            Provider("broken", lambda _: _fail()),
        ]


def _fail() -> Embedder:
    raise ModelError("it is broken")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with open_client(tmp_path, None, Others()) as client:
        yield client


def _space(client: Client) -> EmbeddingSpace:
    answer = client.post("/v1/embed", content=FACE, headers=PNG)
    assert answer.status_code == 200, answer.text
    return EmbeddingSpace(**answer.json()["faces"][0]["embedding"]["space"])


def _loaded(client: Client, kind: str) -> dict[str, dict[str, Any]]:
    models = client.get("/v1/models").json()["loaded"]
    return {each["name"]: each for each in models if each["kind"] == kind}


def _job(client: Client, answer: httpx.Response) -> dict[str, Any]:
    """Return a job once it is over."""
    assert answer.status_code == 202, answer.text
    deadline = time.monotonic() + 10
    while True:
        job: dict[str, Any] = client.get(answer.headers["Location"]).json()["job"]
        if job["state"] in {"done", "failed", "cancelled"}:
            return job
        assert time.monotonic() < deadline
        time.sleep(0.01)


class TestList:
    """What is here, what is loaded, what is used."""

    def test_packs_with_licence_size_and_digest(self, client: Client) -> None:
        packs = {each["name"]: each for each in client.get("/v1/models").json()["packs"]}
        nano = packs["nano"]
        assert nano["embedded"]
        assert all(model["installed"] and model["size"] for model in nano["models"])
        assert all(len(model["sha256"]) == 64 and model["licence"] for model in nano["models"])
        assert packs["world"]["in_use"]
        assert not any(model["installed"] for model in packs["world"]["models"])

    def test_models_in_memory(self, client: Client) -> None:
        (model,) = _loaded(client, "recognition").values()
        assert (model["name"], model["state"], model["default"]) == ("world", "ready", True)
        assert model["memory"]["measured"] in {"resident", "file", "unknown"}


class TestSwitch:
    """Another model becomes the default, at once for all who come."""

    def test_there_and_back(self, client: Client) -> None:
        assert _space(client) == SPACE
        for name, space in [("other", OTHER), ("world", SPACE)]:
            choice = {"kind": "recognition", "model": name}
            answer = client.post("/v1/models/switch", json=choice)
            assert answer.status_code == 200, answer.text
            assert answer.json()["model"]["default"]
            assert _space(client) == space
        assert _loaded(client, "recognition")["other"]["state"] == "absent"

    def test_the_old_one_may_be_kept(self, client: Client) -> None:
        choice = {"kind": "recognition", "model": "other", "keep": True}
        client.post("/v1/models/switch", json=choice)
        states = {name: each["state"] for name, each in _loaded(client, "recognition").items()}
        assert states == {"world": "ready", "other": "ready"}

    @pytest.mark.parametrize(
        ("name", "status", "code"),
        [
            ("broken", 503, "model"),
            ("nobody", 404, "model_not_found"),
            ("/etc/passwd.onnx", 422, "invalid_input"),
            ("arcface:somewhere", 422, "invalid_input"),
            ("", 422, "invalid_input"),
        ],
    )
    def test_one_that_fails_leaves_the_old_one_serving(
        self, client: Client, name: str, status: int, code: str
    ) -> None:
        answer = client.post("/v1/models/switch", json={"kind": "recognition", "model": name})
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        assert _space(client) == SPACE


class TestPerRequest:
    """A request may name its models; the defaults stay."""

    def test_another_embedder(self, client: Client) -> None:
        answer = client.post("/v1/embed?embedder=other", content=FACE, headers=PNG)
        assert answer.json()["faces"][0]["embedding"]["space"]["model"] == "other"
        assert _space(client) == SPACE
        one = {"images": [("images", ("a.png", FACE, "image/png"))]}["images"]
        answer = client.post("/v1/batch/analyze", files=one, data={"embedder": "other"})
        (face,) = answer.json()["items"][0]["result"]["faces"]
        assert face["embedding"]["space"]["model"] == "other"

    @pytest.mark.parametrize(
        ("query", "status"),
        [("embedder=nobody", 404), ("detector=nobody", 404), ("detector=x.onnx", 422)],
    )
    def test_wrong_names(self, client: Client, query: str, status: int) -> None:
        answer = client.post(f"/v1/embed?{query}", content=FACE, headers=PNG)
        assert answer.status_code == status


class TestLoad:
    """Models come into memory and go again; nobody notices but for the time it takes."""

    def test_load_and_unload(self, client: Client) -> None:
        choice = {"kind": "recognition", "model": "other"}
        model = client.post("/v1/models/load", json=choice).json()["model"]
        assert (model["state"], model["default"]) == ("ready", False)
        model = client.post("/v1/models/unload", json=choice).json()["model"]
        assert model["state"] == "absent"

    def test_in_the_background_the_state_tells(self, client: Client) -> None:
        choice = {"kind": "recognition", "model": "broken", "wait": False}
        assert client.post("/v1/models/load", json=choice).status_code == 200
        deadline = time.monotonic() + 10
        while _loaded(client, "recognition")["broken"]["state"] != "failed":
            assert time.monotonic() < deadline
        assert _loaded(client, "recognition")["broken"]["error"] == "it is broken"

    def test_an_unloaded_default_comes_back_when_it_is_needed(self, client: Client) -> None:
        client.post("/v1/models/unload", json={"kind": "recognition"})
        assert _loaded(client, "recognition")["world"]["state"] == "absent"
        assert _space(client) == SPACE

    def test_idle_models_leave_by_themselves(self, tmp_path: Path) -> None:
        with open_client(tmp_path, settings={"models": {"idle_unload": 0.02}}) as client:
            deadline = time.monotonic() + 10
            while _loaded(client, "recognition")["world"]["state"] != "absent":
                assert time.monotonic() < deadline
                time.sleep(0.01)
            assert _space(client) == SPACE


class TestPacks:
    """Files of packs on the server."""

    def test_pulling_is_a_job(self, client: Client) -> None:
        job = _job(client, client.post("/v1/models/packs/nano/pull"))
        assert (job["kind"], job["state"]) == ("pull", "done")
        assert job["result"]["pack"] == "nano"
        assert {model["name"] for model in job["result"]["models"]} > {"det_nano"}

    def test_a_pull_that_fails_says_why(self, tmp_path: Path) -> None:
        store = {"local": {"cache_dir": str(tmp_path / "cache"), "offline": True}}
        with open_client(tmp_path, settings={"model_stores": store}) as client:
            job = _job(client, client.post("/v1/models/packs/world/pull"))
        assert job["state"] == "failed"
        assert job["error"]["code"] in {"download", "model_not_found"}

    def test_every_file_is_checked(self, client: Client) -> None:
        files = client.post("/v1/models/packs/nano/verify").json()["files"]
        assert {file["state"] for file in files} == {"ok"}

    def test_what_came_with_us_is_not_deleted(self, client: Client) -> None:
        assert client.delete("/v1/models/packs/nano").status_code == 503

    def test_deleting(self, client: Client) -> None:
        engine = service_of(client).engine
        store = engine.parts.store
        folder = store.path(engine.parts.packs.pack("world"))
        folder.mkdir(parents=True)
        (folder / "det.onnx").write_bytes(b"x" * 10)
        answer = client.delete("/v1/models/packs/world")
        assert answer.json()["freed_bytes"] == 10
        assert not (folder / "det.onnx").exists()

    @pytest.mark.parametrize(("method", "end"), [("post", "/pull"), ("post", "/verify")])
    def test_unknown_packs(self, client: Client, method: str, end: str) -> None:
        answer = client.request(method, f"/v1/models/packs/nobody{end}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


class TestJobs:
    """Jobs are listed, told and called off."""

    def test_list(self, client: Client) -> None:
        job = _job(client, client.post("/v1/models/packs/nano/pull"))
        (listed,) = client.get("/v1/jobs").json()["jobs"]
        assert (listed["id"], listed["state"], listed["result"]) == (job["id"], "done", None)

    def test_cancel(self, client: Client) -> None:
        service = service_of(client)

        def work(tell: Any) -> None:
            while True:
                tell(1, 2, "working")
                time.sleep(0.001)

        job = service.jobs.submit("endless", work)
        assert client.delete(f"/v1/jobs/{job.id}").status_code == 200
        deadline = time.monotonic() + 10
        while client.get(f"/v1/jobs/{job.id}").json()["job"]["state"] != "cancelled":
            assert time.monotonic() < deadline

    @pytest.mark.parametrize(
        ("identity", "status", "code"),
        [("0" * 24, 410, "job_lost"), ("nonsense", 404, "job_not_found")],
    )
    def test_lost_and_unknown(self, client: Client, identity: str, status: int, code: str) -> None:
        for method in ("get", "delete"):
            answer = client.request(method, f"/v1/jobs/{identity}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)

    def test_a_bug_is_told_without_details(self, client: Client) -> None:
        job = service_of(client).jobs.submit("bug", lambda _: 1 // 0)
        deadline = time.monotonic() + 10
        while (now := client.get(f"/v1/jobs/{job.id}").json()["job"])["state"] != "failed":
            assert time.monotonic() < deadline
        assert now["error"]["code"] == "internal"
        assert "division" not in str(now)
