"""Downloads over HTTP that can be interrupted and taken up again."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import attrs
import httpx

from facecv.adapters.model_stores.files import writing
from facecv.core.errors import DownloadError, IntegrityError
from facecv.core.pack import Progress

_ABSENT = frozenset({403, 404, 410})  # some object stores say 403 of what is not there
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_LARGEST = 8 << 30


class _TryAgainError(Exception):
    """The server could not serve this request now."""


@attrs.frozen
class Target:
    """A file to be downloaded.

    Attributes:
        name: for the progress display.
        part: where the bytes gather; what is already there is taken up.
        size: bytes in all; 0: not known.
        checked: whether the result will be held against a digest.
    """

    name: str
    part: Path
    size: int = 0
    checked: bool = False

    @property
    def tag(self) -> Path:
        """The file that keeps the server's validator of the bytes that are already here."""
        return self.part.with_name(self.part.name + ".tag")

    @property
    def have(self) -> int:
        """How many bytes are already here."""
        return self.part.stat().st_size if self.part.is_file() else 0

    def discard(self) -> None:
        """Forget what is already here."""
        self.part.unlink(missing_ok=True)
        self.tag.unlink(missing_ok=True)


@attrs.frozen
class Downloader:
    """Fetches files over HTTP; proxies are those of the environment.

    Args:
        attempts: how often a request that breaks is tried.
        backoff: seconds before the second try; doubled before each further one.
        timeout: seconds without a byte after which a connection counts as broken.
    """

    attempts: int = 5
    backoff: float = 0.5
    timeout: float = 30.0

    def fetch(self, urls: tuple[str, ...], target: Target, progress: Progress, /) -> bool:
        """Fill `target.part` from the first of `urls` that has the file.

        Returns whether bytes of an earlier download are part of it.

        Raises:
            DownloadError: none has it (``details["status"]`` tells), or the connection keeps
                breaking; what came is kept.
            IntegrityError: there are more bytes than the file has.
            ModelError: the disk cannot take it.
        """
        for url in urls[:-1]:
            with contextlib.suppress(_AbsentError):
                return self._persist(url, target, progress)
        return self._persist(urls[-1], target, progress)

    def _persist(self, url: str, target: Target, progress: Progress) -> bool:
        """Download from one address, trying again when the connection breaks."""
        failures, most = 0, target.have
        with _client(self.timeout) as client:
            while True:
                try:
                    return _download(client, url, target, progress)
                except (httpx.TransportError, _TryAgainError) as error:
                    # Only tries in a row that bring nothing new count.
                    failures = failures + 1 if target.have <= most else 1
                    most = max(most, target.have)
                    if failures >= self.attempts:
                        raise _broken(url, error) from error
                    time.sleep(self.backoff * 2 ** (failures - 1))
                except (httpx.RequestError, httpx.InvalidURL) as error:
                    raise _broken(url, error) from error


def _broken(url: str, error: Exception) -> DownloadError:
    return DownloadError(
        f"cannot download {shown(url)}: {str(error) or type(error).__name__}",
        hint="run it again to go on from where it broke; a proxy or a mirror may be needed",
    )


class _AbsentError(DownloadError):
    """The server does not have the file."""


def is_absent(error: DownloadError) -> bool:
    """Return whether the error says that the server does not have the file."""
    return isinstance(error, _AbsentError)


def shown(url: str) -> str:
    """Return `url` without credentials and query, which may be secret."""
    try:
        return str(httpx.URL(url).copy_with(userinfo=b"", query=None, fragment=None))
    except httpx.InvalidURL:
        return "an address that is no URL"


@contextlib.contextmanager
def _client(timeout: float) -> Iterator[httpx.Client]:
    try:
        client = httpx.Client(timeout=timeout, follow_redirects=True)
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise DownloadError(
            f"the proxy settings of the environment cannot be used: {error}",
            hint="check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY",
        ) from error
    with client:
        yield client


def _download(client: httpx.Client, url: str, target: Target, progress: Progress) -> bool:
    """Send one request and write what comes; return whether it was added to earlier bytes."""
    have, headers = _earlier(target)
    if target.checked and have == target.size != 0:
        return True
    # Encoded content would have other offsets than the file.
    request_headers = {"Accept-Encoding": "identity", **headers}
    with client.stream("GET", url, headers=request_headers) as response:
        start = _start(response, url, have, target)
        with writing(target.part):
            _write_body(response, target, start, progress)
    return start > 0


def _earlier(target: Target) -> tuple[int, dict[str, str]]:
    """Return how many bytes are here and the headers that ask for the rest."""
    have = target.have
    tag = target.tag.read_text(encoding="utf-8") if target.tag.is_file() else ""
    # Without a validator only a digest can tell whether old and new bytes belong together.
    if not have or not (tag or target.checked) or have > (target.size or have):
        target.discard()
        return 0, {}
    return have, {"Range": f"bytes={have}-", **({"If-Range": tag} if tag else {})}


def _start(response: httpx.Response, url: str, have: int, target: Target) -> int:
    """Return the offset at which the body begins; raise unless the answer is usable."""
    status = response.status_code
    if status == httpx.codes.PARTIAL_CONTENT:
        if response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            return have
        target.discard()
        raise _TryAgainError("the server sent another range than the one asked for")
    if status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        target.discard()
        raise _TryAgainError("the server has fewer bytes than are already here")
    if status in _PASSING:
        raise _TryAgainError(f"the server answered {status}")
    if status != httpx.codes.OK:
        kind = _AbsentError if status in _ABSENT else DownloadError
        raise kind(
            f"cannot download {shown(url)}: the server answered {status}",
            hint="the file may have moved; a mirror or `facecv models import` can stand in",
            details={"status": status},
        )
    return 0


def _write_body(response: httpx.Response, target: Target, start: int, progress: Progress) -> None:
    target.part.parent.mkdir(parents=True, exist_ok=True)
    length = int(response.headers.get("Content-Length") or 0)
    total = target.size or (start + length if length else 0)
    done = start
    with target.part.open("ab" if start else "wb") as file:
        target.tag.write_text(_validator(response), encoding="utf-8")
        progress(target.name, done, total)
        for chunk in response.iter_raw():
            done += len(chunk)
            if done > (target.size or _LARGEST):
                file.close()
                target.discard()
                raise IntegrityError(
                    f"{target.name} should have {target.size or _LARGEST} bytes, but more came"
                )
            file.write(chunk)
            progress(target.name, done, total)


def _validator(response: httpx.Response) -> str:
    """Return what tells this version of the file from others; weak tags do not."""
    tag = str(response.headers.get("ETag", ""))
    if tag and not tag.startswith("W/"):
        return tag
    return str(response.headers.get("Last-Modified", ""))
