"""Lists by pages: `limit`, and an opaque `cursor` that says where the next page begins."""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, TypeVar

from litestar.params import QueryParameter

from facecv.core.errors import InputError

ItemT = TypeVar("ItemT")

Limit = Annotated[int, QueryParameter(ge=1, le=500, description="The most items of one page.")]
Cursor = Annotated[str, QueryParameter(max_length=1000, description="`next_cursor` of a page.")]


def after(cursor: str) -> str:
    """Return the key that a page begins after; empty for the first page.

    Raises:
        InputError: this is no cursor of ours.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise InputError("this cursor is not of a list's answer") from error


def cursor_after(keys: Sequence[str], limit: int) -> str | None:
    """Return the cursor of the page that follows the first `limit` keys; None where none does.

    Args:
        keys: of the items of a page, and of one more if there is one.
        limit: how many items the page has.
    """
    if len(keys) <= limit:
        return None
    return base64.urlsafe_b64encode(keys[limit - 1].encode()).decode().rstrip("=")
