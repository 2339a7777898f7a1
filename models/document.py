"""Reading TOML documents into attrs values, strictly: no unknown key, no converted type."""

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import attrs
import cattrs
from cattrs.errors import ForbiddenExtraKeysError

from facecv.core.errors import FaceCVError
from facecv.core.text import nearest

T = TypeVar("T")


def structure(data: Mapping[str, Any], kind: type[T], where: str, error: type[FaceCVError]) -> T:
    """Return `data` as an instance of the attrs class `kind`.

    Args:
        data: a TOML document or a part of one.
        kind: the attrs class.
        where: the place the data are from (a file's name), for the message.
        error: the class to raise.

    Raises:
        FaceCVError: of class `error`: a key is unknown or missing, or a value has the wrong type
            or is out of range. The message names the key and the place, the hint the nearest key.
    """
    try:
        return _converter().structure(data, kind)
    except (cattrs.BaseValidationError, FaceCVError, TypeError, ValueError) as caught:
        path, problem, hint = next(_problems(caught, ()))
        key = ".".join(path)
        raise error(
            f"{where}: {key}: {problem}" if key else f"{where}: {problem}",
            hint=hint,
            details={"key": key, "where": where},
        ) from caught


@functools.cache
def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    for kind, accepted in ((bool, bool), (int, int), (float, (int, float)), (str, str)):
        converter.register_structure_hook(kind, functools.partial(_exactly, kind, accepted))
    converter.register_structure_hook(Path, _path)
    converter.register_structure_hook_factory(_is_tuple, _tuple_hook)
    converter.register_structure_hook_factory(_is_literal, _literal_hook)
    return converter


def _exactly(kind: type, accepted: Any, value: object, _: object) -> Any:  # noqa: ANN401
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{kind.__name__} expected, got {value!r}")
    return kind(value)


def _path(value: object, _: object) -> Path:
    if not isinstance(value, str | Path):
        raise TypeError(f"a path expected, got {value!r}")
    return Path(value).expanduser()


def _is_tuple(kind: Any) -> bool:  # noqa: ANN401 - any type annotation
    return get_origin(kind) is tuple and get_args(kind)[-1:] == (Ellipsis,)


def _tuple_hook(kind: Any, converter: cattrs.Converter) -> Any:  # noqa: ANN401 - likewise
    """Return a hook for ``tuple[X, ...]`` that takes lists only: a text is no list of letters."""
    as_list: Any = list.__class_getitem__(get_args(kind)[0])

    def hook(value: object, _: object) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise TypeError(f"a list expected, got {value!r}")
        return tuple(converter.structure(value, as_list))

    return hook


def _is_literal(kind: Any) -> bool:  # noqa: ANN401 - any type annotation
    return get_origin(kind) is Literal


def _literal_hook(kind: Any) -> Any:  # noqa: ANN401 - likewise
    """Return a hook for ``Literal[...]`` whose error lists the choices."""
    choices = get_args(kind)

    def hook(value: object, _: object) -> object:
        if value not in choices:
            raise ValueError(f"{value!r} is none of " + ", ".join(map(repr, choices)))
        return value

    return hook


def _problems(
    error: BaseException, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Yield (path of keys, problem, hint) for every leaf of a validation error."""
    if isinstance(error, cattrs.ClassValidationError | cattrs.IterableValidationError):
        noted, plain = error.group_exceptions()
        # Unknown keys first: a misspelt key is why a required one is missing.
        for inner in plain:
            yield from _problems(inner, path)
        for inner, note in noted:
            key = getattr(note, "name", None) or str(getattr(note, "index", ""))
            yield from _problems(inner, (*path, key))
    elif isinstance(error, ForbiddenExtraKeysError):
        known = [field.alias for field in attrs.fields(error.cl)]
        for key in sorted(error.extra_fields):
            yield (*path, key), "no such key", nearest(key, known)
    elif isinstance(error, KeyError):
        yield path, "is missing", ""
    elif isinstance(error, FaceCVError):
        yield path, error.message, error.hint
    elif not isinstance(error, Exception):
        raise error
    else:
        yield path, str(error.args[0]) if error.args else repr(error), ""
