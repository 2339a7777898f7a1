"""Fetching pictures from a web server on this machine."""

import base64
import logging
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from facecv.adapters.images.decoder import PillowDecoder
from facecv.adapters.images.fetch import UrlFetcher
from facecv.core.errors import ImageDecodeError, ImageFetchError, ImageTooLargeError
from facecv.plugins.contracts.image_decoder import png

PIXELS = np.random.default_rng(3).integers(0, 256, (20, 30, 3), dtype=np.uint8)
PNG = png(PIXELS)
LOGIN = "Basic " + base64.b64encode(b"me:secret").decode()


class _Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.split("?")[0].strip("/")
        getattr(self, f"_{path}", self._missing)()

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _picture(self) -> None:
        self._answer(200, PNG)

    def _page(self) -> None:
        self._answer(200, b"<html>hello</html>")

    def _missing(self) -> None:
        self._answer(404)

    def _moved(self) -> None:
        self._answer(302, Location="/picture")

    def _circle(self) -> None:
        self._answer(302, Location="/circle")

    def _escape(self) -> None:
        self._answer(302, Location="file:///etc/passwd")

    def _private(self) -> None:
        self._answer(200 if self.headers["Authorization"] == LOGIN else 401, PNG)

    def _announced(self) -> None:
        self._answer(200, b"", **{"Content-Length": str(10**12)})

    def _drip(self) -> None:
        self._answer(200)
        for _ in range(40):
            self.wfile.write(b"x")
            time.sleep(0.05)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name it has
        """Say nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Yield the address of a running server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


class TestDecoding:
    @pytest.mark.parametrize("page", ["picture", "picture?size=large", "moved"])
    def test_pictures_are_fetched(self, site: str, page: str) -> None:
        image = PillowDecoder().decode(f"{site}/{page}")
        assert np.array_equal(image.pixels, PIXELS)
        assert image.source == f"{site}/{page.removesuffix('?size=large')}"

    def test_the_scheme_may_be_in_capitals(self, site: str) -> None:
        assert PillowDecoder().decode(site.replace("http", "HTTP") + "/picture").width == 30

    def test_a_page_is_no_picture(self, site: str) -> None:
        with pytest.raises(ImageDecodeError, match=f"{site}/page"):
            PillowDecoder().decode(f"{site}/page")


class TestFailures:
    @pytest.mark.parametrize(
        ("page", "reason"), [("missing", "404"), ("circle", "redirect"), ("escape", "file")]
    )
    def test_what_cannot_be_had(self, site: str, page: str, reason: str) -> None:
        with pytest.raises(ImageFetchError, match=f"{site}/{page} .*{reason}"):
            UrlFetcher(1000, 5.0).fetch(f"{site}/{page}")

    def test_nobody_answers(self) -> None:
        with pytest.raises(ImageFetchError, match=r"127\.0\.0\.1:9/a"):
            UrlFetcher(1000, 5.0).fetch("http://127.0.0.1:9/a")

    @pytest.mark.parametrize("url", ["http://", "http://[", "http://a:b:c/", "https://\0/"])
    def test_no_url_at_all(self, url: str) -> None:
        with pytest.raises(ImageFetchError):
            PillowDecoder().decode(url)

    @pytest.mark.parametrize("page", ["announced", "picture"])
    def test_too_many_bytes(self, site: str, page: str) -> None:
        with pytest.raises(ImageTooLargeError, match="more than 100 bytes"):
            UrlFetcher(100, 5.0).fetch(f"{site}/{page}")

    def test_a_server_that_drips_is_left(self, site: str) -> None:
        """The time limit is for the whole, not for each byte."""
        with pytest.raises(ImageFetchError, match=r"longer than 0\.3 seconds"):
            UrlFetcher(1000, 0.3).fetch(f"{site}/drip")


class TestSecrets:
    def test_credentials_are_sent(self, site: str) -> None:
        url = site.replace("//", "//me:secret@") + "/private"
        assert PillowDecoder().decode(url).source == f"{site}/private"

    def test_credentials_are_never_shown(self, site: str, caplog: pytest.LogCaptureFixture) -> None:
        url = site.replace("//", "//me:secret@") + "/missing?token=secret"
        caplog.set_level(logging.DEBUG, "httpx")
        with pytest.raises(ImageFetchError) as raised:
            PillowDecoder().decode(url)
        assert "secret" not in str(raised.value)
        assert "me:secret" not in caplog.text
