"""``KEY=VALUE`` on the command line."""

import json
from typing import TYPE_CHECKING, Any

import rich_click as click

if TYPE_CHECKING:
    from facecv.core.gallery import Metadata, MetadataValue


class KeyValueType(click.ParamType["tuple[str, MetadataValue]"]):
    """A pair; the value is a number, true, false or null if it reads like one, else text."""

    name = "KEY=VALUE"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> "tuple[str, MetadataValue]":
        """Return key and value."""
        if isinstance(value, tuple):
            return value
        key, equals, text = value.partition("=")
        if not key or not equals:
            self.fail(f"{value!r} is not KEY=VALUE", param, ctx)
        return key, typed(text)


KEY_VALUE = KeyValueType()


def typed(text: str) -> "MetadataValue":
    """Return a text as the JSON value it spells, if that is a number, true, false or null."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float | None) else text


def as_metadata(pairs: "tuple[tuple[str, MetadataValue], ...]") -> "Metadata":
    """Return pairs as metadata; of a key given twice the last value counts."""
    return dict(pairs)
