"""Damage inside JPEG files that decoders paint over in grey."""

import re

_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""A marker other than a restart ends the entropy-coded data of a scan."""

_AFTER_SCAN = frozenset([0xC4, 0xCC, 0xD8, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, 0xFE, *range(0xE0, 0xF0)])
_START_OF_SCAN = 0xDA
_ENDS = frozenset([0xD8, 0xD9])


def is_damaged(data: bytes) -> bool:
    """Return whether a scan of the JPEG file breaks off at a marker that cannot stand there.

    Decoders fill the rest of such a scan with grey and say nothing. A file that merely ends too
    early is not meant here: decoders refuse it.
    """
    position = 2
    in_scan = False
    while (found := _SCAN_END.search(data, position)) is not None:
        marker = data[found.end() - 1]
        if marker in _ENDS:
            return False
        if in_scan and marker not in _AFTER_SCAN:
            return True
        in_scan = in_scan or marker == _START_OF_SCAN
        position = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
    return False
