"""What clients may name as sources of streams and as places for their events."""

from collections.abc import Sequence

from facecv.core.errors import ConfigurationError, InputError
from facecv.core.urls import redacted
from facecv.entrypoints.bootstrap import Parts
from facecv.entrypoints.streams import source_kind

_SCHEMES = {"rtsp": ("rtsp://", "rtsps://"), "http": ("http://", "https://")}
_SINK_SCHEMES = {"webhook": ("http://", "https://"), "mqtt": ("mqtt://", "mqtts://")}
_FILES = frozenset({"file", "folder"})
_HINT = "server.streams.files allows it"


def check_source(parts: Parts, address: str, *, files: bool) -> None:
    """Raise `InputError` unless clients may name this source.

    Args:
        parts: know the kinds of sources.
        address: as `Streams.source` takes it.
        files: whether files and folders of this machine are allowed.
    """
    try:
        kind, place = source_kind(address, parts.catalogue.names("frame_sources"))
    except ConfigurationError as error:
        raise InputError(error.message, hint=error.hint) from error
    if files:
        return
    # FFmpeg would take a path where a URL is meant.
    schemes = _SCHEMES.get(kind, ("",))
    local = kind in _FILES or not place.lower().startswith(schemes)
    if local or (kind == "webcam" and not place.isdecimal()):
        raise InputError("files of the server are not watched for clients", hint=_HINT)


def check_sinks(parts: Parts, sinks: Sequence[str], *, files: bool) -> None:
    """Raise `InputError` unless clients may have events sent there; see `check_source`."""
    known = parts.catalogue.names("event_sinks")
    for text in sinks:
        kind, _, address = text.partition("=")
        if kind not in known or not address:
            raise InputError(f"a sink is KIND=ADDRESS, with a kind of {', '.join(known)}")
        if kind == "jsonl" and not files:
            raise InputError("events are not written to files for clients", hint=_HINT)
        schemes = _SINK_SCHEMES.get(kind, ("",))
        if not address.lower().startswith(schemes):
            raise InputError(f"the address of a {kind} begins with {' or '.join(schemes)}")


def shown_source(address: str) -> str:
    """Return the address of a source without user, password and query."""
    before, colon, rest = address.partition(":")
    if colon and not rest.startswith("//"):
        return f"{before}:{redacted(rest)}"
    return redacted(address)


def shown_sink(text: str) -> str:
    """Return a sink without user, password and query."""
    kind, _, address = text.partition("=")
    return f"{kind}={redacted(address)}"
