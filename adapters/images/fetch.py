"""Fetching pictures from the web."""

import time

import attrs
import httpx

from facecv.core.errors import ImageFetchError, ImageTooLargeError

_MAX_REDIRECTS = 5


def redacted(url: str) -> str:
    """Return `url` without user name, password, query and fragment, for messages."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return "an invalid URL"
    return str(parsed.copy_with(username=None, password=None, query=None, fragment=None))


@attrs.frozen
class UrlFetcher:
    """Fetches what lies behind http(s) URLs, within limits.

    Attributes:
        max_bytes: the most bytes to accept.
        timeout: seconds for the whole, and for each wait.
    """

    max_bytes: int
    timeout: float

    def fetch(self, url: str) -> bytes:
        """Return the content of `url`.

        Raises:
            ImageFetchError: it cannot be had.
            ImageTooLargeError: it has more than `max_bytes`.
        """
        try:
            return self._fetch(url)
        except httpx.TimeoutException as error:
            raise self._too_slow(url) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ImageFetchError(f"{redacted(url)} cannot be fetched: {error}") from error

    def _fetch(self, url: str) -> bytes:
        deadline = time.monotonic() + self.timeout
        address = httpx.URL(url)
        # Credentials go into the header only: the client's own log shows the URL.
        login = (address.username, address.password) if address.userinfo else None
        address = address.copy_with(username=None, password=None)
        with (
            httpx.Client(
                timeout=self.timeout,
                follow_redirects=True,
                max_redirects=_MAX_REDIRECTS,
                headers={"Accept": "image/*", "Accept-Encoding": "identity"},
            ) as client,
            client.stream("GET", address, auth=login) as response,
        ):
            return self._read(response, url, deadline)

    def _read(self, response: httpx.Response, url: str, deadline: float) -> bytes:
        if not response.is_success:
            raise ImageFetchError(f"{redacted(url)} answers with status {response.status_code}")
        announced = response.headers.get("Content-Length", "")
        if announced.isdecimal() and int(announced) > self.max_bytes:
            raise self._too_large(url)
        content = bytearray()
        for part in response.iter_raw():
            content += part
            if len(content) > self.max_bytes:
                raise self._too_large(url)
            if time.monotonic() > deadline:
                raise self._too_slow(url)
        return bytes(content)

    def _too_large(self, url: str) -> ImageTooLargeError:
        return ImageTooLargeError(f"{redacted(url)} has more than {self.max_bytes} bytes")

    def _too_slow(self, url: str) -> ImageFetchError:
        return ImageFetchError(f"{redacted(url)} takes longer than {self.timeout:g} seconds")
