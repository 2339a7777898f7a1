"""What is wrong with fields is told in words."""

from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta

from facecv.entrypoints.http.wrong_fields import in_words, sentence


class Person(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    faces: list[Annotated[int, Meta(ge=1)]] = []
    margin: float | None = None


class Group(msgspec.Struct, forbid_unknown_fields=True):
    persons: list[Person] = []


def said(value: Any, kind: type[msgspec.Struct]) -> tuple[str, str]:
    """Return what is told of a value that is none of a kind."""
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(value, kind)
    return in_words(str(caught.value), kind)


@pytest.mark.parametrize(
    ("value", "kind", "field", "words"),
    [
        ({"nme": "a"}, Person, "nme", "no such field (did you mean 'name'?)"),
        ({"zzz": 1}, Person, "zzz", "no such field (known: name, faces, margin)"),
        ({}, Person, "name", "this field is missing"),
        ({"name": 5}, Person, "name", "text expected, got whole number"),
        ({"name": "a", "margin": "b"}, Person, "margin", "number or null expected, got text"),
        ({"name": "a", "faces": [1, 0]}, Person, "faces[1]", "whole number >= 1 expected"),
        ({"persons": [{"nme": "a"}]}, Group, "persons[0].nme", "no such field"),
        ({"persons": [{}]}, Group, "persons[0].name", "this field is missing"),
        ([], Person, "", "object expected, got list"),
    ],
)
def test_field_and_words(
    value: Any,
    kind: type[msgspec.Struct],
    field: str,
    words: str,
) -> None:
    assert said(value, kind) == (field, words)


def test_what_is_not_known_stays_as_it_is() -> None:
    assert in_words("Invalid UTF-8") == ("", "Invalid UTF-8")
    assert sentence("Expected `int`, got `str` - at `$.top`") == (
        "top: whole number expected, got text"
    )
