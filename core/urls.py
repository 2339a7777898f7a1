"""URLs without their secrets."""

import re

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)(.*)$", re.DOTALL)
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
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    if not _HOST.match(authority):
        rest = rest.rpartition("@")[2]
    return scheme + re.split(r"[?#\s]", rest, maxsplit=1)[0]
