"""Logging: structlog to the standard error, for people on a terminal and as JSON elsewhere.

Nothing that could identify a face and no secret reaches a log, whoever logs it: see `masked`.
"""

import re
import sys
import warnings
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal, TextIO

import structlog

Level = Literal["debug", "info", "warning", "error"]

_NUMBERS: Mapping[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_MASK = "***"
_PRIVATE = re.compile(r"embedding|vector|pixels|crop|landmarks", re.IGNORECASE)
_SECRET = re.compile(
    r"(^|[_-])key$|apikey|token|secret|passw|passphrase|authorization|credential|cookie",
    re.IGNORECASE,
)
_URL_USER = re.compile(r"(?<=://)([^/@:\s]*):[^/\s]*@")
_URL_SECRET = re.compile(
    r"(?<=[?&])([^=&\s]*(?:key|token|secret|signature|password)[^=&\s]*)=[^&\s]+", re.IGNORECASE
)
_MOST_NUMBERS = 16


def configure(level: Level = "warning", stream: TextIO | None = None) -> None:
    """Send what is logged to `stream` (None: the standard error of the moment).

    Above the level ``debug``, Pillow's Python warnings about the metadata of photos are dropped.

    Args:
        level: the least level that is shown.
        stream: where to; a terminal gets text, anything else one JSON object a line.
    """
    target = stream or sys.stderr
    if level != "debug":
        warnings.filterwarnings("ignore", module=r"PIL\.")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            masked,
            *_renderer(terminal=target.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_NUMBERS[level]),
        logger_factory=structlog.WriteLoggerFactory(target),
        cache_logger_on_first_use=False,
    )


def stay_quiet() -> None:
    """Show warnings on the standard error, unless the program has set structlog up itself.

    Left alone, structlog prints everything on the standard output, which belongs to the program.
    """
    if not structlog.is_configured():
        configure()


def masked(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Return a log entry without anything that looks like a face, an array or a secret."""
    return {name: _harmless(name, value) for name, value in event.items()}


def _renderer(*, terminal: bool) -> list[structlog.typing.Processor]:
    if not terminal:
        return [structlog.processors.JSONRenderer(default=str, ensure_ascii=False)]
    return [structlog.dev.ConsoleRenderer(timestamp_key="timestamp", sort_keys=False)]


def _harmless(name: str, value: Any) -> Any:  # noqa: ANN401 - whatever was logged
    if _SECRET.search(name):
        return _MASK
    if _PRIVATE.search(name) and not isinstance(value, str | int | float | bool | None):
        return _MASK
    return _without_data(value)


def _without_data(value: Any) -> Any:  # noqa: ANN401 - whatever was logged
    """Return `value` with arrays, bytes, long lists of numbers and passwords replaced by words."""
    if isinstance(value, str):
        return _URL_SECRET.sub(rf"\1={_MASK}", _URL_USER.sub(rf"\1:{_MASK}@", value))
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if hasattr(value, "dtype") and getattr(value, "shape", None):
        return f"<array {list(value.shape)}>"
    if isinstance(value, Mapping):
        return {key: _harmless(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return _short(list(value))
    return value


def _short(values: list[Any]) -> Any:  # noqa: ANN401 - whatever was logged
    if len(values) > _MOST_NUMBERS and all(isinstance(value, int | float) for value in values):
        return f"<{len(values)} numbers>"
    return [_without_data(value) for value in values]
