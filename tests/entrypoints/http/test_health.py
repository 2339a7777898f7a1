"""Health, and what the server says of itself."""

import os
from pathlib import Path
from typing import Any

import pytest

from facecv.core.errors import GalleryError, ModelNotFoundError
from facecv.entrypoints.api import Engine
from tests.core.services import world
from tests.entrypoints.http.served import Client, open_client, service_of


class TestHealth:
    def test_live(self, client: Client) -> None:
        assert client.get("/v1/health/live").json() == {"status": "live"}

    def test_ready_only_after_the_models_have_run(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The server answers while it loads; a start that failed is tried again."""
        problem = [ModelNotFoundError("no such file")]
        detect = world.WorldDetector.detect

        def fail(*given: Any) -> Any:
            if problem:
                raise problem[0]
            return detect(*given)

        monkeypatch.setattr(world.WorldDetector, "detect", fail)
        with open_client(tmp_path) as client:
            answer = client.get("/v1/health/ready")
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_ready")
            assert "no such file" in answer.json()["error"]["message"]
            assert client.get("/v1/health/live").status_code == 200
            problem.clear()
            assert client.get("/v1/health/ready").json() == {"status": "ready"}

    def test_load_balancers_may_ask_by_head(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for path in ("/v1/health/live", "/v1/health/ready"):
            answer = client.head(path)
            assert (answer.status_code, answer.content) == (200, b"")

        def broken(_: object) -> None:
            raise GalleryError("the disk is gone")

        monkeypatch.setattr(Engine, "collections", broken)
        assert client.head("/v1/health/ready").status_code == 503

    def test_ready_only_while_the_gallery_answers(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(_: object) -> None:
            raise GalleryError("the disk is gone")

        monkeypatch.setattr(Engine, "collections", broken)
        answer = client.get("/v1/health/ready")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "gallery")


class TestSystem:
    def test_facts(self, client: Client) -> None:
        service_of(client).engine.gallery("staff").enroll("Ada", world.picture((9, 9, 90, 1)))
        facts = client.get("/v1/system").json()
        assert facts["state"] == "ready"
        assert facts["pack"] == "world"
        assert facts["gallery"] == {"collections": 1, "persons": 1, "faces": 1}
        assert {each["task"]: each["loaded"] for each in facts["models"]} == {
            "detection": True,
            "recognition": True,
            "attributes": True,
        }
        assert facts["versions"]["facecv"]
        assert facts["work"]["busy"] == 0
        (worker,) = facts["workers"]
        assert (worker["pid"], worker["state"], worker["problems"]) == (os.getpid(), "ready", [])

    def test_what_runs_a_model_and_how_much_of_it(self, tmp_path: Path) -> None:
        """On the CPU that is all of it; both places that list models tell."""
        own = {"pack": "nano", "detector": "det_nano", "device": "cpu"}
        with open_client(tmp_path, settings=own) as client:
            bindings = client.get("/v1/system").json()["models"]
            loaded = client.get("/v1/models").json()["loaded"]
        for found in (bindings[0], *(one for one in loaded if one["name"] == "det_nano")):
            assert found["providers"] == ["CPUExecutionProvider"]
            assert found["share"] == 1.0

    def test_no_secrets(self, tmp_path: Path) -> None:
        with open_client(tmp_path) as client:
            key, secret = service_of(client).access.keys.create("me")
            text = client.get("/v1/system", headers={"X-API-Key": secret}).text
        assert not any(each in text for each in (secret, key.digest, str(tmp_path)))
