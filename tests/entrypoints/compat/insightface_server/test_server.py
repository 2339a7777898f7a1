"""What is around the routes."""

from importlib.metadata import entry_points
from pathlib import Path

import pytest

from facecv.core.errors import ConfigurationError
from facecv.entrypoints.bootstrap import configure
from facecv.entrypoints.compat import insightface_server
from tests.entrypoints.compat.insightface_server.asking import (
    ADA,
    AT,
    asked,
    enrol,
    refused,
    upload,
)
from tests.entrypoints.http.served import Client, open_client, service_of


def test_health_system_and_models(client: Client) -> None:
    health = asked(client.get(f"{AT}/health"))
    assert (health["status"], health["auth_enabled"]) == ("ready", False)
    assert "execution_provider" in asked(client.get(f"{AT}/system"))
    models = asked(client.get(f"{AT}/models"))["models"]
    assert [model["task"] for model in models] == ["detection", "recognition"]


def test_keys(staff: Client) -> None:
    _, secret = service_of(staff).access.keys.create("k", "read", ("staff",))
    refused(staff.get(f"{AT}/collections"), 401, "unauthorized")
    assert asked(staff.get(f"{AT}/health"))["auth_enabled"] is True
    staff.headers["Authorization"] = f"Bearer {secret}"
    assert asked(staff.get(f"{AT}/collections"))["collections"][0]["id"] == "staff"
    refused(enrol(staff, ADA), 403, "forbidden")
    answer = staff.post(f"{AT}/detect", data={"collection_id": "other"}, files=upload(ADA))
    refused(answer, 403, "forbidden")


def test_another_prefix_and_none(tmp_path: Path) -> None:
    server = {"compat": {"insightface_server": {"enabled": True, "prefix": "/a/b"}}}
    with open_client(tmp_path, server, insightface_server) as client:
        assert client.get("/a/b/v1/health").status_code == 200
        assert client.get("/v1/health/live").status_code == 200
    with pytest.raises(ConfigurationError):
        configure({"server": {"compat": {"insightface_server": {"prefix": ""}}}})


def test_off_unless_switched_on(tmp_path: Path) -> None:
    with open_client(tmp_path, None, insightface_server) as client:
        assert client.get(f"{AT}/health").status_code == 404


def test_it_is_installed_as_a_plugin() -> None:
    points = {point.name: point for point in entry_points(group="facecv")}
    assert points["compat-insightface-server"].load() is insightface_server
