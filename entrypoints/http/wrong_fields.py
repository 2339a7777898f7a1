"""What is wrong with the fields of a body or query, in words for who sent them."""

import re

import msgspec

from facecv.core.text import nearest

_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>[^`]*)`")
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]*)`")
_EXPECTED = re.compile(r"Expected (?P<wanted>`[^`]*`.*?)(, got (?P<got>`?[^`]*`?))?$")
_PLACE = re.compile(r" - at `(key in )?\$\.?(?P<path>[^`]*)`$")
_TYPES = {
    "array": "list",
    "bool": "true or false",
    "float": "number",
    "int": "whole number",
    "str": "text",
}


def in_words(message: str, kind: object = None) -> tuple[str, str]:
    """Return the field that one of msgspec's messages is about, and what is wrong with it.

    Args:
        message: such as "Expected `int | null`, got `str` - at `$.top`".
        kind: the struct that was wanted, whose fields may be meant by an unknown one.

    Returns:
        The field, as ``persons[0].name``, or nothing where it is the whole; and the words.
    """
    place = _PLACE.search(message)
    path, said = (place["path"], message[: place.start()]) if place else ("", message)
    if unknown := _UNKNOWN.fullmatch(said):
        known = [] if path else _fields(kind)
        meant = f" ({nearest(unknown['name'], known)})" if known else ""
        return _joined(path, unknown["name"]), f"no such field{meant}"
    if missing := _MISSING.fullmatch(said):
        return _joined(path, missing["name"]), "this field is missing"
    if expected := _EXPECTED.fullmatch(said):
        got = f", got {_plain(expected['got'])}" if expected["got"] else ""
        return path, f"{_plain(expected['wanted'])} expected{got}"
    return path, said


def sentence(message: str, kind: object = None) -> str:
    """Return field and words in one; takes what `in_words` takes."""
    return ": ".join(part for part in in_words(message, kind) if part)


def _fields(kind: object) -> list[str]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return [field.encode_name for field in msgspec.structs.fields(kind)]
    return []


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _plain(types: str) -> str:
    """Return msgspec's names of types, as in "`float | null` <= 1.0", in words."""
    names, _, rest = types.removeprefix("`").partition("`")
    words = [_TYPES.get(name, name) for name in names.split(" | ")]
    return " or ".join(words) + rest
