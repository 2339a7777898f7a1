"""URLs without their secrets."""

import re

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)(.*)$", re.DOTALL)
_QUERY = re.compile(r"[?#\s]")
_HOST = re.compile(r"^(\[[0-9A-Fa-f:.%]+\]|[^:@\[\]]*)(:\d*)?$")


def redacted(url: str) -> str:
    """Return a URL without user, password, query and fragment; other texts as they are.

    Errs on the side of silence: in a URL whose user or password holds characters that should
    have been escaped, everything up to the last ``@`` is left out.
    """
    found = _SCHEME.match(url)
    if found is None:
        return url
    scheme, rest = found.groups()
    if not _has_plain_host(rest):
        rest = _after_credentials(rest)
    return scheme + _QUERY.split(rest, maxsplit=1)[0]


def _has_plain_host(rest: str) -> bool:
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    return _HOST.match(authority) is not None


def _after_credentials(rest: str) -> str:
    """Return what follows the last ``@`` of the part of a URL before its query."""
    ends = [found.end() for found in re.finditer("@", rest)]
    start = next((end for end in ends if _has_plain_host(rest[end:])), len(rest))
    query = _QUERY.search(rest, start)
    stop = query.start() if query else len(rest)
    return rest[max((end for end in ends if end <= stop), default=start) :]
