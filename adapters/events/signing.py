"""Signatures of webhooks, as Standard Webhooks (standardwebhooks.com) has them."""

import base64
import binascii
import hashlib
import hmac

from facecv.core.errors import ConfigurationError

_PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """Return the key that a secret stands for: ``whsec_`` and base64, or any text.

    Raises:
        ConfigurationError: what follows ``whsec_`` is not base64.
    """
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ConfigurationError("the secret of a webhook is not base64 after whsec_") from error


def signature_headers(key: bytes, message_id: str, moment: int, body: bytes) -> dict[str, str]:
    """Return the headers that name and sign a message.

    Args:
        key: shared with the receiver; empty: the message is named but not signed.
        message_id: the same for every try, by which a receiver knows what came twice.
        moment: seconds since the epoch.
        body: what is sent.
    """
    headers = {"webhook-id": message_id, "webhook-timestamp": str(moment)}
    if key:
        signed = b".".join([message_id.encode(), str(moment).encode(), body])
        digest = hmac.new(key, signed, hashlib.sha256).digest()
        headers["webhook-signature"] = "v1," + base64.b64encode(digest).decode("ascii")
    return headers
