"""Who may do what over HTTP."""

from pathlib import Path
from typing import Any

import pytest
from litestar import Request, get
from litestar.params import FromPath, FromQuery

from facecv.core.errors import ConfigurationError, UnauthorizedError
from facecv.entrypoints.api import Engine
from facecv.entrypoints.http.access import Access, check_collection, requires, visible
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.server import check_exposure
from facecv.entrypoints.keys import KeyFile, Scope
from facecv.plugins import hookimpl
from tests.entrypoints.http.served import Client, config_in, open_client, picture

FACE = picture((20, 30, 80, 10))


class Routes:
    """A plugin with a route for each scope, and one of a collection."""

    @hookimpl
    def facecv_http(self, routes: list[Any], engine: Engine) -> None:
        @get("/x/read", guards=[requires("read")], sync_to_thread=False)
        def read() -> str:
            return "read"

        @get("/x/enrol", guards=[requires("enrol")], sync_to_thread=False)
        def enrol() -> str:
            return "enrol"

        @get("/x/admin", guards=[requires("admin")], sync_to_thread=False)
        def admin() -> str:
            return "admin"

        @get("/x/in/{collection:str}", guards=[requires("read")], sync_to_thread=False)
        def inside(collection: FromPath[str]) -> str:
            return collection

        @get("/x/named", guards=[requires("read")], sync_to_thread=False)
        def named(request: AnyRequest, name: FromQuery[str]) -> list[str]:
            check_collection(request, name)
            return visible(request, ["guests", "staff"])

        routes += [read, enrol, admin, inside, named]


def _key(folder: Path, scope: Scope = "read", collections: tuple[str, ...] | None = None) -> str:
    return KeyFile(folder / "keys.json").create("test", scope, collections)[1]


def _bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


class TestKeys:
    @pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
    def test_a_key_in_either_header(self, tmp_path: Path, header: str) -> None:
        secret = _key(tmp_path)
        value = f"Bearer {secret}" if header == "Authorization" else secret
        with open_client(tmp_path) as client:
            answer = client.post("/v1/detect", files={"image": FACE}, headers={header: value})
            assert answer.status_code == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Authorization": "Bearer"},
            {"Authorization": "Bearer fcv_wrong"},
            {"Authorization": "Basic Zm9vOmJhcg=="},
            {"X-API-Key": "wrong"},
            {"X-API-Key": ""},
        ],
    )
    def test_no_key_or_a_wrong_one(self, tmp_path: Path, headers: dict[str, str]) -> None:
        _key(tmp_path)
        with open_client(tmp_path) as client:
            answer = client.post("/v1/detect", files={"image": FACE}, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "unauthorized"
        assert answer.headers["WWW-Authenticate"] == "Bearer"

    def test_health_needs_no_key(self, tmp_path: Path) -> None:
        _key(tmp_path)
        with open_client(tmp_path) as client:
            assert client.get("/v1/health/ready").status_code == 200
            assert client.get("/v1/system").status_code == 401

    @pytest.mark.parametrize(
        ("scope", "allowed"),
        [
            ("read", {"read"}),
            ("enrol", {"read", "enrol"}),
            ("admin", {"read", "enrol", "admin"}),
        ],
    )
    def test_scopes(self, tmp_path: Path, scope: Scope, allowed: set[str]) -> None:
        headers = _bearer(_key(tmp_path, scope))
        with open_client(tmp_path, None, Routes()) as client:
            found = {
                each: client.get(f"/x/{each}", headers=headers).status_code
                for each in ("read", "enrol", "admin")
            }
        assert found == {each: 200 if each in allowed else 403 for each in found}

    def test_a_restricted_key_touches_its_collections_only(self, tmp_path: Path) -> None:
        headers = _bearer(_key(tmp_path, "admin", ("staff",)))
        with open_client(tmp_path, None, Routes()) as client:
            assert client.get("/x/in/staff", headers=headers).status_code == 200
            refused = client.get("/x/in/guests", headers=headers)
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")
            assert client.get("/x/named?name=guests", headers=headers).status_code == 403
            assert client.get("/x/named?name=staff", headers=headers).json() == ["staff"]


class TestRunning:
    """Keys that come and go while the server runs."""

    def test_a_revoked_key_stops_working(self, tmp_path: Path) -> None:
        keys = KeyFile(tmp_path / "keys.json")
        key, secret = keys.create("test")
        with open_client(tmp_path) as client:
            assert client.get("/v1/system", headers=_bearer(secret)).status_code == 200
            keys.revoke(key.id)
            assert client.get("/v1/system", headers=_bearer(secret)).status_code == 401

    def test_the_last_key_that_goes_does_not_open_the_server(self, tmp_path: Path) -> None:
        keys = KeyFile(tmp_path / "keys.json")
        with open_client(tmp_path) as client:
            assert client.get("/v1/system").status_code == 200
            key, secret = keys.create("test")
            assert client.get("/v1/system").status_code == 401
            assert client.get("/v1/system", headers=_bearer(secret)).status_code == 200
            keys.revoke(key.id)
            assert client.get("/v1/system").status_code == 401

    def test_a_damaged_file_does_not_open_the_server(self, tmp_path: Path) -> None:
        with open_client(tmp_path, raise_bugs=False) as client:
            (tmp_path / "keys.json").write_text("nonsense")
            answer = client.get("/v1/system")
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")


class TestWithoutKeys:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Host": "127.0.0.1:7002"},
            {"Host": "localhost"},
            {"Host": "[::1]:7002"},
            {"Host": "localhost", "Origin": "http://localhost:7002"},
        ],
    )
    def test_this_machine_is_served(self, client: Client, headers: dict[str, str]) -> None:
        assert client.get("/v1/system", headers=headers).status_code == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {"Host": "evil.example"},
            {"Host": "127.0.0.1.evil.example"},
            {"Host": "localhost", "Origin": "https://evil.example"},
            {"Host": "localhost", "Origin": "null"},
            {"Host": "localhost", "Origin": "http://localhost.evil.example"},
            {"Host": "["},
        ],
    )
    def test_pages_of_other_sites_are_not(self, client: Client, headers: dict[str, str]) -> None:
        assert client.get("/v1/system", headers=headers).status_code == 403

    def test_whoever_says_insecure_serves_all(self, tmp_path: Path) -> None:
        with open_client(tmp_path, {"insecure": True}) as client:
            assert client.get("/v1/system", headers={"Host": "a.org"}).status_code == 200

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "a.org"])  # noqa: S104
    def test_other_machines_are_not_served_without_a_key(self, tmp_path: Path, host: str) -> None:
        with pytest.raises(ConfigurationError, match="without a key"):
            check_exposure(config_in(tmp_path, {"host": host}))
        check_exposure(config_in(tmp_path, {"host": host, "insecure": True}))
        _key(tmp_path)
        check_exposure(config_in(tmp_path, {"host": host}))

    def test_an_application_for_others_is_shut_without_a_key(self, tmp_path: Path) -> None:
        """Even where it was not started with `serve`, which refuses to."""
        with open_client(tmp_path, {"host": "192.168.1.5"}) as client:
            assert client.get("/v1/system").status_code == 401


def test_workers_of_a_server_ask_for_keys_all_or_none(tmp_path: Path) -> None:
    """Also a worker that was not asked anything while there was a key, and one that comes later."""
    keys, mark = KeyFile(tmp_path / "keys.json"), tmp_path / "keyed"
    one, other = (Access(keys, open=True, mark=mark) for _ in range(2))
    scope: Any = {"type": "http", "headers": [], "state": {}}
    anybody: Any = Request(scope)
    for worker in (one, other):
        worker.check(anybody, "admin")
    keys.revoke(keys.create("camera")[0].id)
    key, _ = keys.create("camera")
    with pytest.raises(UnauthorizedError):
        one.check(anybody, "read")
    keys.revoke(key.id)
    for worker in (other, Access(keys, open=True, mark=mark)):
        with pytest.raises(UnauthorizedError):
            worker.check(anybody, "read")
