"""Fetching pictures from the web."""

import contextlib
import time

import attrs
import httpx

from facecv.adapters.images.addresses import UrlPolicy, public_address
from facecv.core.errors import ImageFetchError, ImageTooLargeError
from facecv.core.urls import redacted

_HEADERS = {"Accept": "image/*", "Accept-Encoding": "identity"}


@attrs.frozen
class UrlFetcher:
    """Fetches what lies behind http(s) URLs, within limits.

    Attributes:
        max_bytes: the most bytes to accept.
        timeout: seconds for the whole, and for each wait.
        policy: which URLs may be asked for.
    """

    max_bytes: int
    timeout: float
    policy: UrlPolicy = attrs.field(factory=UrlPolicy)

    def fetch(self, url: str) -> bytes:
        """Return the content of `url`.

        Raises:
            ImageFetchError: it cannot be had, or the policy forbids it.
            ImageTooLargeError: it has more than `max_bytes`.
        """
        try:
            return self._fetch(url)
        except httpx.TimeoutException as error:
            raise self._too_slow(url) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ImageFetchError(f"{redacted(url)} cannot be fetched: {error}") from error
        except ImageFetchError as error:
            if redacted(url) in error.message:
                raise
            raise ImageFetchError(f"{redacted(url)} cannot be fetched: {error}") from error

    def _fetch(self, url: str) -> bytes:
        deadline = time.monotonic() + self.timeout
        address = httpx.URL(url)
        # Credentials go into the header only: the client's own log shows the URL.
        login = (address.username, address.password) if address.userinfo else None
        address = address.copy_with(username=None, password=None)
        home = _origin(address)
        with httpx.Client(
            timeout=self.timeout, headers=_HEADERS, trust_env=not self.policy.public_only
        ) as client:
            for _ in range(self.policy.redirects + 1):
                request = self._request(client, address)
                auth = login if _origin(address) == home else None
                response = client.send(request, stream=True, auth=auth)
                with contextlib.closing(response):
                    if response.next_request is None:
                        return self._read(response, url, deadline)
                    address = address.join(response.headers["Location"])
                if time.monotonic() > deadline:
                    raise self._too_slow(url)
        raise ImageFetchError(f"more than {self.policy.redirects} redirects")

    def _request(self, client: httpx.Client, address: httpx.URL) -> httpx.Request:
        """Return a request to an address that the policy allows, checked and pinned."""
        if address.scheme not in self.policy.schemes:
            raise ImageFetchError(f"the scheme {address.scheme!r} is not allowed")
        if not self.policy.public_only:
            return client.build_request("GET", address)
        if not address.host:
            raise ImageFetchError("the URL names no host")
        port = address.port or (443 if address.scheme == "https" else 80)
        name = address.raw_host.decode("ascii")
        pinned = address.copy_with(host=public_address(name, port))
        return client.build_request(
            "GET",
            pinned,
            headers={"Host": address.netloc.decode("ascii")},
            # The certificate must be that of the name, not of the address.
            extensions={"sni_hostname": name},
        )

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


def _origin(address: httpx.URL) -> tuple[str, str, int | None]:
    return address.scheme, address.host, address.port
