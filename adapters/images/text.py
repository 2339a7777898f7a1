"""Pictures that come as text: base64 and data URIs."""

import base64
import binascii
from urllib.parse import unquote_to_bytes

from facecv.adapters.images.formats import SNIFFED, sniff
from facecv.core.errors import ImageDecodeError

_URL_SAFE = str.maketrans("-_", "+/")
_HEAD = SNIFFED // 3 * 4


def from_base64(text: str) -> bytes | None:
    """Return the picture file that `text` encodes; None if it does not encode one."""
    if sniff(_decoded(text[: 2 * _HEAD], strict=False) or b"") is None:
        return None
    return _decoded(text)


def from_data_uri(uri: str) -> bytes:
    """Return the content of a data URI.

    Raises:
        ImageDecodeError: it is malformed.
    """
    header, comma, payload = uri.partition(",")
    encoded = header.lower().endswith(";base64")
    data = _decoded(payload) if encoded else unquote_to_bytes(payload)
    if not comma or data is None:
        raise ImageDecodeError("this data URI is malformed", hint="data:image/png;base64,iVBOR…")
    return data


def _decoded(text: str, *, strict: bool = True) -> bytes | None:
    """Return decoded base64; either alphabet, line breaks and missing padding are fine."""
    compact = "".join(text.split()).rstrip("=").translate(_URL_SAFE)
    if not strict:
        compact = compact[: len(compact) // 4 * 4]
    try:
        return base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
