"""Events to an HTTP address."""

import time
from pathlib import Path

import attrs
import httpx

from facecv.adapters.events.courier import CourierOptions, CourierSink
from facecv.adapters.events.outbox import Letter, Outbox
from facecv.adapters.events.signing import key_of, signature_headers
from facecv.core.errors import ConfigurationError, SinkError
from facecv.core.urls import redacted


@attrs.frozen
class Webhook:
    """Posts letters to a URL, signed.

    Attributes:
        client: keeps the connection.
        url: where to.
        key: signs; empty: nothing is signed.
    """

    client: httpx.Client
    url: httpx.URL = attrs.field(repr=False)
    key: bytes = attrs.field(repr=False)

    def __call__(self, letter: Letter) -> None:
        """Post a letter; any status of 200 to 299 means that it has arrived.

        Raises:
            SinkError: it was not accepted.
        """
        body = letter.body.encode()
        headers = signature_headers(self.key, letter.id, int(time.time()), body)
        headers["content-type"] = "application/json"
        try:
            answer = self.client.post(self.url, content=body, headers=headers)
        except httpx.HTTPError as error:
            kind = type(error).__name__
            raise SinkError(f"{redacted(str(self.url))} does not answer: {kind}") from None
        if not answer.is_success:
            raise SinkError(f"{redacted(str(self.url))} answers with status {answer.status_code}")


def webhook_sink(
    address: str,
    outbox: Path,
    *,
    secret: str = "",
    timeout: float = 10.0,
    options: CourierOptions | None = None,
) -> CourierSink:
    """Return a sink that posts each event, signed with HMAC-SHA256, until it is accepted.

    Args:
        address: ``http://`` or ``https://``, user and password included.
        outbox: the file in which events wait.
        secret: shared with the receiver; empty: nothing is signed.
        timeout: seconds for each step of a try.
        options: how hard to try.

    Raises:
        ConfigurationError: that is not a URL, or the secret is malformed.
        SinkError: the outbox cannot be used.
    """
    url = _checked(address)
    # Credentials go into the header only: the client's own log shows the URL.
    login = (url.username, url.password) if url.userinfo else None
    client = httpx.Client(timeout=timeout, auth=login)
    webhook = Webhook(client, url.copy_with(username=None, password=None), key_of(secret))
    box = Outbox(outbox, f"webhook {address}")
    return CourierSink(box, webhook, options, release=client.close)


def _checked(address: str) -> httpx.URL:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise ConfigurationError("the address of a webhook is not a URL") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise ConfigurationError(f"{redacted(address)} is not an http(s) URL")
    return url
