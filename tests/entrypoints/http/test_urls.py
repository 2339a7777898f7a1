"""Pictures that clients name by URL."""

from pathlib import Path

import pytest

from facecv.core.errors import ConfigurationError
from tests.entrypoints.http.served import Client, config_in, open_client

HERE = "http://127.0.0.1:9/a.png"


def _error(client: Client, url: str) -> tuple[int, str, str]:
    answer = client.post("/v1/detect", json={"image": url})
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["message"]


def test_they_are_off_unless_switched_on(client: Client) -> None:
    status, code, message = _error(client, "https://example.org/a.png")
    assert (status, code) == (422, "image_fetch")
    assert "not fetched from URLs" in message


def test_only_the_public_internet_is_asked(tmp_path: Path) -> None:
    with open_client(tmp_path, {"urls": {"enabled": True, "schemes": ["http"]}}) as client:
        assert "not on the public internet" in _error(client, HERE)[2]
        assert "scheme 'https'" in _error(client, "https://example.org/a.png")[2]


def test_whoever_trusts_the_clients_may_let_them_ask_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with open_client(tmp_path, {"urls": {"enabled": True, "private": True}}) as client:
        assert "cannot be fetched" in _error(client, HERE)[2]


def test_a_decoder_that_cannot_check_urls_gets_none(tmp_path: Path) -> None:
    other = {"decoder": "other"}
    assert config_in(tmp_path, {}, other).decoder == "other"
    with pytest.raises(ConfigurationError, match="cannot check URLs"):
        config_in(tmp_path, {"urls": {"enabled": True}}, other)
