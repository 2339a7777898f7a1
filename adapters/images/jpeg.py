"""Damage inside JPEG files that decoders paint over in grey."""

import re

_MARKER = re.compile(rb"\xff[^\x00\xff]")
_MARKER_BUT_RESTART = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")

_RESTART_INTERVAL, _START_OF_SCAN = 0xDD, 0xDA
_ENDS = frozenset([0xD8, 0xD9])
_AFTER_SCAN = frozenset([0xC4, 0xCC, 0xDA, 0xDB, 0xDC, 0xDD, 0xFE])
"""Markers that may follow the data of a scan: tables, the next scan, a comment."""


def is_damaged(data: bytes) -> bool:
    """Return whether a scan of the JPEG file breaks off at a marker that cannot stand there.

    Decoders fill the rest of such a scan with grey and say nothing. A file that merely ends too
    early is not meant here: decoders refuse it.
    """
    marker_ahead = _MARKER
    position, in_scan = 2, False
    while (found := marker_ahead.search(data, position)) is not None:
        marker, position = data[found.end() - 1], found.end()
        if marker in _ENDS:
            return False
        if in_scan and marker not in _AFTER_SCAN:
            return True
        if marker == _RESTART_INTERVAL and any(data[position + 2 : position + 4]):
            marker_ahead = _MARKER_BUT_RESTART
        in_scan = in_scan or marker == _START_OF_SCAN
        position += int.from_bytes(data[position : position + 2], "big")
    return False
