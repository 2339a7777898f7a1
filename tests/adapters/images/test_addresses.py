"""Which addresses a picture may be fetched from."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from facecv.adapters.images import addresses
from facecv.adapters.images.addresses import UrlPolicy, is_public, public_address
from facecv.adapters.images.fetch import UrlFetcher
from facecv.core.errors import ImageFetchError

GUARDED = UrlFetcher(1000, 5.0, UrlPolicy(public_only=True))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.216.34", "2606:2800:220:1::", "::ffff:8.8.8.8"]
)
def test_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - nothing is bound here
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.8.8.8",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::7f00:1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2001:0:53aa:64c:0:0:80ff:fffe",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "fc00::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "nonsense",
    ],
)
def test_not_public(address: str) -> None:
    assert not is_public(address)


def _resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let names have these addresses, one list each time one is looked up; return who asked."""
    left, asked = list(answers), []

    real = socket.getaddrinfo

    def resolve(host: str, port: int, *rest: Any, **more: Any) -> list[Any]:
        if host[0].isdigit():  # an address is no name
            return real(host, port, *rest, **more)
        asked.append(host)
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


class TestNames:
    def test_a_public_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        _resolving(monkeypatch, ["8.8.8.8", "8.8.4.4"])
        assert public_address("a.org", 80) == "8.8.8.8"

    @pytest.mark.parametrize("found", [["10.0.0.1"], ["8.8.8.8", "10.0.0.1"], []])
    def test_one_bad_address_is_enough(
        self, monkeypatch: pytest.MonkeyPatch, found: list[str]
    ) -> None:
        _resolving(monkeypatch, found)
        with pytest.raises(ImageFetchError, match="not on the public internet"):
            public_address("a.org", 80)

    def test_an_unknown_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def unknown(*_: object, **__: object) -> None:
            raise socket.gaierror

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        with pytest.raises(ImageFetchError, match="no host"):
            public_address("a.org", 80)


class _Site(BaseHTTPRequestHandler):
    hosts: list[str | None]

    def do_GET(self) -> None:
        self.hosts.append(self.headers["Host"])
        moved = self.path.startswith("/to/")
        self.send_response(302 if moved else 200)
        if moved:
            self.send_header("Location", "http://" + self.path.removeprefix("/to/"))
        self.end_headers()
        if not moved:
            self.wfile.write(b"picture" + (self.headers["Authorization"] or "").encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name it has
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[ThreadingHTTPServer]:
    """Yield a server on this machine."""
    handler = type("Site", (_Site,), {"hosts": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class TestFetching:
    @pytest.mark.parametrize(
        "host",
        ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0"],
    )
    def test_this_machine_by_any_name(self, site: ThreadingHTTPServer, host: str) -> None:
        with pytest.raises(ImageFetchError):
            GUARDED.fetch(f"http://{host}:{site.server_port}/")
        assert site.RequestHandlerClass.hosts == []  # type: ignore[attr-defined]

    def test_the_address_that_was_checked_is_the_one_that_is_asked(
        self, site: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A name that means something else the next time is looked up once only."""
        asked = _resolving(monkeypatch, ["127.0.0.1"], ["10.0.0.1"])
        monkeypatch.setattr(addresses, "is_public", lambda address: address == "127.0.0.1")
        url = f"http://a.org:{site.server_port}/x"
        assert GUARDED.fetch(url) == b"picture"
        assert asked == ["a.org"]
        assert site.RequestHandlerClass.hosts == [f"a.org:{site.server_port}"]  # type: ignore[attr-defined]

    def test_each_redirect_is_checked(
        self, site: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = _resolving(monkeypatch, ["127.0.0.1"], ["10.0.0.1"])
        monkeypatch.setattr(addresses, "is_public", lambda address: address == "127.0.0.1")
        with pytest.raises(ImageFetchError, match=r"a\.org.*'b\.org' is not on the public"):
            GUARDED.fetch(f"http://a.org:{site.server_port}/to/b.org/")
        assert asked == ["a.org", "b.org"]

    def test_a_proxy_of_the_environment_is_not_asked(
        self, site: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It would look the name up itself."""
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{site.server_port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        with pytest.raises(ImageFetchError):
            GUARDED.fetch("http://10.0.0.1/")
        assert site.RequestHandlerClass.hosts == []  # type: ignore[attr-defined]

    @pytest.mark.parametrize("url", ["http://a.org/", "ftp://a.org/", "file:///etc/passwd"])
    def test_other_schemes(self, url: str) -> None:
        with pytest.raises(ImageFetchError, match="scheme"):
            UrlFetcher(1000, 5.0, UrlPolicy(("https",))).fetch(url)

    def test_too_many_redirects(self, site: ThreadingHTTPServer) -> None:
        here = f"127.0.0.1:{site.server_port}"
        fetcher = UrlFetcher(1000, 5.0, UrlPolicy(redirects=1))
        assert fetcher.fetch(f"http://{here}/to/{here}/x") == b"picture"
        with pytest.raises(ImageFetchError, match="more than 1 redirects"):
            fetcher.fetch(f"http://{here}/to/{here}/to/{here}/x")

    def test_credentials_stay_with_their_host(self, site: ThreadingHTTPServer) -> None:
        here = f"127.0.0.1:{site.server_port}"
        fetcher = UrlFetcher(1000, 5.0)
        assert fetcher.fetch(f"http://me:secret@{here}/to/{here}/x").startswith(b"pictureBasic")
        away = f"http://me:secret@{here}/to/localhost:{site.server_port}/x"
        assert fetcher.fetch(away) == b"picture"
