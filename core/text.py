"""Sentences that several errors share."""

import difflib
from collections.abc import Sequence


def nearest(name: str, known: Sequence[str]) -> str:
    """Return a hint at what may have been meant by `name`, or a list of what is known."""
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(repr(item) for item in close) + "?"
    return "known: " + ", ".join(known) if known else "there are none"
