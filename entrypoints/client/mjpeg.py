"""Pictures that replace one another, taken out of an answer that does not end."""

import re
from collections.abc import Iterator

_LENGTH = re.compile(rb"content-length:[ \t]*(\d+)", re.IGNORECASE)
_END = b"\r\n\r\n"


class MjpegParts:
    """Puts pieces of an answer together to pictures."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield the JPEG files that a piece completes."""
        self._rest += piece
        while (end := self._rest.find(_END)) >= 0:
            found = _LENGTH.search(self._rest, 0, end)
            start = end + len(_END)
            stop = start + (int(found[1]) if found else 0)
            if len(self._rest) < stop:
                return
            if found:
                yield bytes(self._rest[start:stop])
            del self._rest[:stop]
